--- A fake Redis for limiters, with a clock that the test advances. It runs the real script. A
--- test can take it down, with or without loss of its data, and can freeze it: a thawed one then
--- runs the old requests, as a Redis that hung does.
---
---   local world = fake_redis.new(clock)      clock() -> seconds
---   world:driver()                            in place of connectly.limiter.driver_plain

local script = require "connectly.limiter.script"

local fake_redis = {}

local world = {}
world.__index = world

function fake_redis.new(clock)
  return setmetatable({ clock = clock, offset = 1.7e9, state = {}, start = 1, started_at = -1000, late = {} }, world)
end

function world:time()
  return self.clock() + self.offset
end

local function commands(self)
  local known = {}
  function known.TIME()
    local time = self:time()
    return { ("%d"):format(math.floor(time)), ("%d"):format(math.floor(time % 1 * 1e6)) }
  end
  function known.HMGET(_, ...)
    local values = {}
    for index, name in ipairs { ... } do
      values[index] = self.state[name] or false
    end
    return values
  end
  function known.HSET(_, ...)
    local fields = { ... }
    for index = 1, #fields, 2 do
      self.state[fields[index]] = fields[index + 1]
    end
  end
  function known.INFO()
    return ("run_id:%x\r\nuptime_in_seconds:%d\r\n"):format(self.start, math.floor(self.clock() - self.started_at))
  end
  function known.PEXPIRE() end
  return known
end

local function load_script(environment)
  if rawget(_G, "setfenv") then
    return setfenv(assert(loadstring(script)), environment) -- luacheck: ignore 113
  end
  return assert(load(script, "script", "t", environment))
end

local function run(self, arguments)
  local known = commands(self)
  local function call(name, ...)
    return known[name](...)
  end
  local words = {}
  for index, word in ipairs(arguments) do
    words[index] = tostring(word)
  end
  return load_script {
    KEYS = { "key" }, ARGV = words, redis = { call = call, pcall = call }, math = math, string = string, tonumber = tonumber,
    type = type,
  }()
end

-- What happens to it ----------------------------------------------------------------

function world:kill()
  self.is_down = true
end

--- @param forgets boolean?  it kept nothing
function world:restart(forgets)
  self.is_down, self.start, self.started_at = false, self.start + 1, self.clock()
  self.state = forgets and {} or self.state
end

function world:freeze()
  self.is_frozen = true
end

function world:thaw()
  self.is_frozen = false
  for _, arguments in ipairs(self.late) do
    run(self, arguments)
  end
  self.late = {}
end

-- Seen from a limiter ------------------------------------------------------------------

local link = {}
link.__index = link

function link:call(_, command, ...)
  local of = self.world
  if of.is_down or self.start ~= of.start then
    return nil, "closed"
  elseif command ~= "evalsha" then
    return not of.is_frozen and "digest" or nil, "timeout"
  end
  local arguments = { select(4, ...) } -- after the digest, the number of keys, the key
  if of.is_frozen then
    table.insert(of.late, arguments)
    return nil, "timeout"
  end
  return run(of, arguments)
end

function link:keep()
  self.driver.kept, self.is_fresh = self, false
end

function link.drop() end

function world:driver()
  local driver = {}
  driver.__index = driver
  function driver.new()
    return setmetatable({}, driver)
  end
  function driver.open(one)
    local kept = one.kept
    one.kept = nil
    if kept then
      return kept
    elseif self.is_down then
      return nil, "connection refused"
    end
    return setmetatable({ world = self, driver = one, start = self.start, is_fresh = true }, link)
  end
  return driver
end

return fake_redis
