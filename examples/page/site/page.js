// Shows who is signed in and what they ordered. The token is in a cookie that no script can read: the browser sends
// it to the API (`credentials: "include"`), and whether it is good is the API's to say.

import { LOGIN_SERVICE, ORDERS_API } from "/addresses.js";
import { language, words } from "/words.js";

const at = (id) => document.getElementById(id);
const refused = 401;

// --- asking ----------------------------------------------------------------------------------

const ask = (url, body) =>
  fetch(url, {
    credentials: "include",
    cache: "no-store",
    ...(body && { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) }),
  });

// A token lives for an hour, the session behind it for days: on a 401 ask the login service once for a new token.
async function askApi(path, body) {
  const answer = await ask(ORDERS_API + path, body);
  if (answer.status !== refused) return answer;
  const renewed = await ask(`${LOGIN_SERVICE}/session/refresh`, {});
  return renewed.ok ? ask(ORDERS_API + path, body) : answer;
}

// --- showing ---------------------------------------------------------------------------------

// `state`: "in", "out", or "away" when nobody can say.
function show(state, title, news) {
  at("title").textContent = title;
  at("news").textContent = news;
  at("news").hidden = !news;
  at("signed-in").hidden = state !== "in";
  at("signed-out").hidden = state !== "out";
}

function showOrders(orders) {
  const rows = orders.map(({ item }) => Object.assign(document.createElement("li"), { textContent: item }));
  at("orders").replaceChildren(...rows.reverse());
  at("none").hidden = rows.length > 0;
}

async function refresh() {
  const answer = await askApi("/api/me");
  const said = await answer.json();
  // What the API says is for programs: it speaks of tokens.
  if (answer.status === refused) return show("out", words.signInFirst, said.error === "missing" ? "" : words.ended);
  if (!answer.ok) return show("away", words.notNow, words.unchecked);
  const orders = await askApi("/api/orders");
  at("sub").textContent = said.sub;
  at("roles").textContent = said.roles.join(", ");
  showOrders(await orders.json());
  show("in", words.welcome, "");
}

// --- doing -----------------------------------------------------------------------------------

async function place() {
  const answer = await askApi("/api/orders", { item: at("item").value });
  if (answer.ok) at("order").reset();
  await refresh();
}

async function signOut(everywhere) {
  const answer = await ask(`${LOGIN_SERVICE}/logout`, { everywhere });
  const { message } = await answer.json();
  if (!answer.ok) return show("in", words.welcome, message);
  show("out", words.signInFirst, message);
  at("sign-in").focus(); // the button that had it is gone
}

const saying = (step) => (event) => {
  event?.preventDefault();
  return step().catch(() => show("away", words.notNow, words.away));
};

// --- beginning -------------------------------------------------------------------------------

document.documentElement.lang = language;
document.title = words.page;
for (const element of document.querySelectorAll("[data-word]")) element.textContent = words[element.dataset.word];

const back = new URLSearchParams({ return_to: `${location.origin}/`, ui_locales: language });
at("sign-in").href = `${LOGIN_SERVICE}/login?${back}`;
at("manage").href = `${LOGIN_SERVICE}/account`;
at("order").addEventListener("submit", saying(place));
at("here").addEventListener("click", saying(() => signOut(false)));
at("everywhere").addEventListener("click", saying(() => signOut(true)));
// Who comes back to this tab may have signed out in another one.
document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && saying(refresh)());
saying(refresh)();
