-- Redis through nginx's cosockets and lua-resty-redis: calls yield, and connections come
-- from the worker's pool. A driver is
--
--   driver.new(options) -> driver            options: host, port, username, database
--   driver:open(seconds) -> link             or nil and the reason
--   link.is_fresh                            the connection is new, not reused
--   link:call(seconds, command, ...) -> reply;  nil, reason when the connection is broken;
--                                            false, reason when Redis returned an error
--   link:keep()                              keeps the connection for reuse
--   link:drop()                              closes the connection

-- Milliseconds that an idle connection is kept, and idle connections per worker.
local IDLE, POOL = 10000, 8

local driver, link = {}, {}
driver.__index, link.__index = driver, link

--- OpenResty and Debian install the library under different names.
local function find_library()
  for _, name in ipairs { "resty.redis", "nginx.redis" } do
    local is_there, library = pcall(require, name)
    if is_there then
      return library
    end
  end
  return nil, "lua-resty-redis is missing"
end

function driver.new(options)
  local library, problem = find_library()
  if not library then
    return nil, problem
  end
  -- A pool of our own: other code may connect to the same server as another user.
  local pool = ("connectly %s:%d %s %d"):format(options.host, options.port, options.username or "", options.database)
  return setmetatable({
    library = library, host = options.host, port = options.port, pool = { pool = pool, pool_size = POOL },
  }, driver)
end

local function connect(self, seconds)
  local redis, problem = self.library:new()
  if not redis then
    return nil, problem
  end
  redis:set_timeout(1000 * seconds)
  local is_connected, why = redis:connect(self.host, self.port, self.pool)
  if not is_connected then
    return nil, why
  end
  return setmetatable({ redis = redis, is_fresh = redis:get_reused_times() == 0 }, link)
end

--- nginx raises an error in phases that allow no sockets; this returns nil and the error instead.
local function protected(...)
  local is_fine, value, problem = pcall(...)
  if not is_fine then
    return nil, value
  end
  return value, problem
end

function driver:open(seconds)
  return protected(connect, self, seconds)
end

function link:call(seconds, command, ...)
  self.redis:set_timeout(1000 * seconds)
  return protected(self.redis[command], self.redis, ...)
end

function link:keep()
  protected(self.redis.set_keepalive, self.redis, IDLE, POOL)
end

function link:drop()
  protected(self.redis.close, self.redis)
end

return driver
