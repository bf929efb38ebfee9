-- grant_type=refresh_token with rotation: a queue of tokens from the file SEED; each answer's new one goes to its end.
-- What is under way when the time is up is lost, so each round has a file of its own.
local queue, head, tail = {}, 1, 0
local headers = {
  ["Content-Type"] = "application/x-www-form-urlencoded",
  ["Authorization"] = os.getenv("AUTH"),
}

function init()
  for line in io.lines(os.getenv("SEED")) do
    tail = tail + 1
    queue[tail] = line
  end
end

function request()
  local token = queue[head] or "none-left"
  queue[head] = nil
  head = head + 1
  return wrk.format("POST", wrk.path, headers, "grant_type=refresh_token&refresh_token=" .. token)
end

function response(_, _, body)
  local token = string.match(body, '"refresh_token"%s*:%s*"([^"]+)"')
  if token then
    tail = tail + 1
    queue[tail] = token
  end
end
