-- A limiter for all processes that use one Redis.

local native = require "connectly.loader"
local options = require "connectly.limiter.options"
local other_clock = require "connectly.limiter.other_clock"
local outage = require "connectly.limiter.outage"
local pace = require "connectly.limiter.pace"
local private = require "connectly.private"
local script = require "connectly.limiter.script"

local unpack = table.unpack or unpack

-- Maximum number of connections tried for one request: a kept connection may have been closed
-- since, or be shared by a fork.
local TRIES = 3
-- Indexes into the script's arguments.
local MARK, FRESH = 1, 9
-- Seconds allowed for a step once the deadline has passed.
local LEAST = 0.001

local function is_whole(least, most)
  return function(value) return value % 1 == 0 and value >= least and value <= most end
end

local rules = {
  host = options.text "127.0.0.1", password = options.text(), username = options.text(),
  port = { type = "number", default = 6379, allows = is_whole(1, 65535), expected = "a port" },
  database = { type = "number", default = 0, allows = is_whole(0, 1e6), expected = "the number of a database" },
  key = options.text "connectly:limiter", rate = options.rate,
  fraction = {
    type = "number", default = 0.1, expected = "a number above 0, 1 at most",
    allows = function(value) return value > 0 and value <= 1 end,
  },
  timeout = {
    type = "number", default = 0.25, expected = "seconds from 0.01 to 5",
    allows = function(value) return value >= 0.01 and value <= 5 end,
  },
}

-- The private state of each limiter: printing a limiter must not show the password.
local inner_of = private.new("limiter", "limiter")

-- Asking Redis ------------------------------------------------------------------

--- Authenticates and selects the database on a new connection.
local function introduce(self, call)
  if self.password then
    local is_let_in, problem = call("auth", unpack(self.credentials))
    if not is_let_in then
      return is_let_in, problem
    end
  end
  if self.database ~= 0 then
    return call("select", self.database)
  end
  return true
end

--- Runs the script by its digest. Redis caches scripts until it restarts or is told to flush
--- them; then the whole script is sent.
local function evaluate(self, call, arguments)
  local problem
  if not self.digest then
    self.digest, problem = call("script", "load", script)
    if not self.digest then
      return self.digest, problem
    end
  end
  local reply, why = call("evalsha", self.digest, 1, self.key, unpack(arguments))
  if reply == false and why:find("^NOSCRIPT") then
    return call("eval", script, 1, self.key, unpack(arguments))
  end
  return reply, why
end

--- Runs the script on one connection. Returns the reply; or nil or false, and the reason.
local function ask_on(self, link, deadline, arguments)
  local function call(...)
    return link:call(math.max(deadline - native.clock(), LEAST), ...)
  end
  if link.is_fresh then
    local is_let_in, problem = introduce(self, call)
    if not is_let_in then
      return is_let_in, problem
    end
  end
  arguments[FRESH] = link.is_fresh and "1" or "0"
  local reply, problem = evaluate(self, call, arguments)
  if reply and (type(reply) ~= "table" or reply[1] ~= arguments[MARK]) then
    return nil, "the answer is another question's"
  end
  return reply, problem
end

--- Returns the reply; or nil, the reason, and whether to retry on another connection.
local function try(self, arguments)
  local deadline = native.clock() + self.timeout
  local link, problem = self.driver:open(self.timeout)
  if not link then
    return nil, problem
  end
  local asked = native.clock()
  local reply, why = ask_on(self, link, deadline, arguments)
  local answered = native.clock()
  if reply then
    link:keep()
    return {
      given = tonumber(reply[2]), first = tonumber(reply[3]), next_at = tonumber(reply[4]), now = tonumber(reply[5]),
      asked = asked, answered = answered,
    }
  end
  link:drop()
  return nil, why, reply == nil and not link.is_fresh
end

--- Removes the password from a reason: reasons are logged, and a server may echo its input.
local function without_password(self, reason)
  reason = tostring(reason)
  if not self.password then
    return reason
  end
  return (reason:gsub((self.password:gsub("%p", "%%%0")), "***"))
end

--- Reserves up to `count` permits and pauses all processes for `pause` seconds. Returns Redis's
--- reply; or nil and the reason. Takes at most twice the timeout.
local function ask(self, count, pause, was_away)
  local arguments = {
    ("%.9f"):format(native.clock()), math.min(count, pace.batch(self.interval)), self.interval, pace.HORIZON,
    self.lead, pause, self.grace, was_away and "1" or "0", "0", ("%.6f"):format(self.heard),
  }
  local began, tries = native.clock(), 0
  local reply, problem, may_repeat
  repeat
    tries = tries + 1
    reply, problem, may_repeat = try(self, arguments)
  until not may_repeat or tries == TRIES or native.clock() - began > 1.5 * self.timeout
  if not reply then
    return nil, without_password(self, problem)
  end
  self.clock:measure(reply.now, reply.asked, reply.answered)
  self.heard = reply.now
  self.lead = math.min(reply.answered - reply.asked, pace.HORIZON / 2)
  return reply
end

-- Being a limiter ------------------------------------------------------------------

local function hand_out(self, reply, count, give)
  pace.hand_out(give, self.clock:here(reply.first), self.interval, reply.given)
  if reply.given < count then
    local again = pace.again(reply.next_at, reply.now, self.interval, reply.given)
    self.not_before = native.clock() + again
    return again
  end
end

local function reserve_together(self, count, give)
  local wait = self.not_before - native.clock()
  if wait > 0 then
    return wait
  end
  local reply, problem = ask(self, count, 0, false)
  if not reply then
    self.outage:note(problem, native.clock())
    return self.outage:reserve(count, give, native.clock())
  end
  return hand_out(self, reply, count, give)
end

local function reserve_alone(self, count, give)
  local now = native.clock()
  if self.outage:begins_probe(now, 2 * self.timeout) then
    local reply, problem = ask(self, count, self.outage:debt(now), true)
    if reply then
      self.outage:finish()
      return hand_out(self, reply, count, give)
    end
    self.outage:note(problem, native.clock())
  end
  return self.outage:reserve(count, give, native.clock())
end

local methods = {}

function methods.reserve(limiter, count, give, tell)
  local self = inner_of[limiter]
  local again = (self.outage.is_on and reserve_alone or reserve_together)(self, count, give)
  local name, reason = self.outage:news()
  if name then
    tell(name, reason)
  end
  return again
end

function methods.pause(limiter, seconds)
  local self = inner_of[limiter]
  seconds = pace.pause(seconds)
  -- Remember the pause here too: Redis may be out of reach, now or soon.
  self.outage:pause(seconds, native.clock())
  if not self.outage.is_on then
    local reply, problem = ask(self, 0, seconds, false)
    if not reply then
      self.outage:note(problem, native.clock())
    end
  end
end

local metatable = {
  __name = "connectly.limiter.redis", __metatable = "connectly.limiter.redis", __index = methods,
  __tostring = function(limiter)
    local self = inner_of[limiter]
    return ("connectly.limiter.redis (%s:%d)"):format(self.host, self.port)
  end,
}

--- Uses the nginx driver inside nginx, else the blocking one.
local function make_driver(checked)
  local ngx = rawget(_G, "ngx")
  local name = type(ngx) == "table" and ngx.get_phase and "nginx" or "plain"
  local driver, problem = require("connectly.limiter.driver_" .. name).new(checked)
  return driver or options.refuse("limiter", problem)
end

--- Returns the rate of one process during an outage. It is rounded down to whole requests,
--- because each of many processes may send a whole one for its fraction.
local function rate_alone(checked)
  local rate = checked.rate * checked.fraction
  return rate >= 1 and math.floor(rate) or rate
end

---@class connectly.limiter.RedisOptions
---@field host string? default "127.0.0.1"; in nginx a host name needs nginx's `resolver`
---@field port integer? default 6379
---@field username string? a user of Redis's ACL
---@field password string?
---@field database integer? default 0
---@field key string? default "connectly:limiter"
---@field rate number? requests in any second, of all processes together; default 200
---@field fraction number? share of the rate that each process uses while it cannot reach Redis; default 0.1
---@field timeout number? seconds for one request on one connection; default 0.25

---A limiter shared by all processes that use one Redis (version 5 or newer), on one
---machine or many. Create one per process.
---
---Guarantees: at most `rate` requests start in any second, as long as all processes reach
---the same Redis. After a 429 the other processes stop within a quarter of a second. No
---call fails because Redis is unreachable: each process then stops for 1.3 seconds and
---continues with `fraction` of the rate (event `limiter_lost`, with the reason). The first
---process that reaches Redis again delays all of them by about three seconds, until each
---has had time to notice; then the full rate applies again (event `limiter_back`).
---
---Limits: choose `fraction` so that processes * fraction is at most 1 (and
---rate * fraction at least 1); the limiter cannot check this. The rate may be exceeded
---while some processes reach Redis and others do not, because the others send their
---fraction in addition; for one second after Redis was unreachable without restarting,
---when the first process to ask is one that asked nothing during the outage; and for a
---quarter of a second after Redis's clock was set forward.
---@param given connectly.limiter.RedisOptions?
---@return connectly.Limiter limiter for connectly.new
local function new(given)
  local checked = options.check(given == nil and {} or given, rules)
  local limiter = setmetatable({}, metatable)
  inner_of[limiter] = {
    host = checked.host, port = checked.port, database = checked.database, key = checked.key,
    password = checked.password, credentials = { checked.username or checked.password, checked.username and checked.password },
    timeout = checked.timeout, driver = make_driver(checked), interval = pace.interval(checked.rate), clock = other_clock.new(),
    outage = outage.new(rate_alone(checked)), lead = 0, heard = 0, not_before = 0,
    grace = outage.PROBE + 2 * checked.timeout + pace.HORIZON + outage.WINDOW,
  }
  return limiter
end

return { new = new }
