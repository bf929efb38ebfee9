// What the page says, in the language that the browser's owner likes better.

const WORDS = {
  en: {
    page: "Orders",
    wait: "One moment …",
    welcome: "Welcome",
    signInFirst: "Sign in to order",
    signIn: "Sign in",
    account: "Account",
    roles: "Roles",
    orders: "Your orders",
    none: "Nothing ordered yet.",
    item: "What would you like?",
    place: "Order",
    here: "Sign out",
    everywhere: "Sign out everywhere",
    manage: "Your account and your devices",
    ended: "You were signed out.",
    notNow: "Not right now",
    unchecked: "Sign-ins cannot be checked right now. Try again in a moment.",
    away: "The API cannot be reached. Try again in a moment.",
  },
  ko: {
    page: "주문",
    wait: "잠시만 기다려 주세요 …",
    welcome: "환영합니다",
    signInFirst: "로그인하고 주문하세요",
    signIn: "로그인",
    account: "계정",
    roles: "역할",
    orders: "내 주문",
    none: "아직 주문이 없습니다.",
    item: "무엇을 드릴까요?",
    place: "주문하기",
    here: "로그아웃",
    everywhere: "모든 기기에서 로그아웃",
    manage: "내 계정과 기기",
    ended: "로그아웃되었습니다.",
    notNow: "잠시 후 다시 시도해 주세요",
    unchecked: "지금은 로그인을 확인할 수 없습니다. 잠시 후 다시 시도해 주세요.",
    away: "지금은 API에 연결할 수 없습니다. 잠시 후 다시 시도해 주세요.",
  },
};

const wanted = navigator.languages.map((tag) => tag.split("-")[0]);
export const language = wanted.find((tag) => Object.hasOwn(WORDS, tag)) ?? "en";
export const words = WORDS[language];
