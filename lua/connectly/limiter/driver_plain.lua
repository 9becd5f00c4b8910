-- Redis through lua-redis, with blocking calls; the same interface as driver_nginx.lua. Keeps
-- one connection. After a fork parent and child share it; each reply repeats a mark from its
-- request, which reveals a reply to the other process.

local driver, link = {}, {}
driver.__index, link.__index = driver, link

function driver.new(options)
  local is_there, library = pcall(require, "redis")
  if not is_there then
    return nil, "lua-redis is missing"
  end
  return setmetatable({ library = library, host = options.host, port = options.port }, driver)
end

--- Returns the library's error text without the position in its source.
local function plain(problem)
  return (tostring(problem):gsub("^.-:%d+: ", ""):gsub("^connection error: ", ""))
end

function driver:open(seconds)
  local kept = self.kept
  if kept then
    self.kept, kept.is_fresh = nil, false
    return kept
  end
  local is_connected, redis = pcall(self.library.connect, { host = self.host, port = self.port, timeout = seconds })
  if not is_connected then
    return nil, plain(redis)
  end
  return setmetatable({ driver = self, redis = redis, is_fresh = true }, link)
end

function link:call(seconds, command, ...)
  self.redis.network.socket:settimeout(seconds, "t")
  local is_fine, reply = pcall(self.redis[command], self.redis, ...)
  if is_fine then
    return reply
  end
  local refusal = plain(reply):match("^redis error: (.*)$")
  if refusal then
    return false, refusal
  end
  return nil, plain(reply)
end

function link:keep()
  self.driver.kept = self
end

function link:drop()
  self.redis.network.socket:close()
end

return driver
