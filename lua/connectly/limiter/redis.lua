-- A fleet: all processes that use one Redis.

local native = require "connectly.loader"
local options = require "connectly.limiter.options"
local other_clock = require "connectly.limiter.other_clock"
local outage = require "connectly.limiter.outage"
local pace = require "connectly.limiter.pace"
local script = require "connectly.limiter.script"

local unpack = table.unpack or unpack

-- Connections tried for one question: one that was kept may have ended since, or a
-- fork shares it.
local TRIES = 3
-- Places among the script's arguments.
local MARK, FRESH = 1, 9
-- Seconds that are left for a step when there are none left.
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

-- What belongs to a limiter, kept from its users: a printed one shows no password.
local inner_of = setmetatable({}, { __mode = "k" })

-- Asking Redis ------------------------------------------------------------------

--- Who we are and where our key is, on a connection that was made now.
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

--- Redis keeps scripts by the digest of their text, until it ends or is told to
--- forget them.
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

--- On one connection: the reply; or nil or false, and why.
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

--- The reply; or nil, why, and whether another connection may do better.
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

--- Reasons are shown to people, and a server may repeat what it was told.
local function without_password(self, reason)
  reason = tostring(reason)
  if not self.password then
    return reason
  end
  return (reason:gsub((self.password:gsub("%p", "%%%0")), "***"))
end

--- Takes up to `count` and pauses all for `pause` seconds: what Redis says, or nil and
--- why not. It takes up to twice the timeout.
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
  -- Should Redis be away, now or soon, we at least know of it.
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

--- nginx's, where there is nginx.
local function make_driver(checked)
  local ngx = rawget(_G, "ngx")
  local name = type(ngx) == "table" and ngx.get_phase and "nginx" or "plain"
  local driver, problem = require("connectly.limiter.driver_" .. name).new(checked)
  return driver or options.refuse("limiter", problem)
end

--- What one process may send alone: whole requests, because a part of one in each of
--- many processes is one in each.
local function rate_alone(checked)
  local rate = checked.rate * checked.fraction
  return rate >= 1 and math.floor(rate) or rate
end

---@class connectly.limiter.RedisOptions
---@field host string? default "127.0.0.1"; in nginx a name needs its `resolver`
---@field port integer? default 6379
---@field username string? of Redis's ACL
---@field password string?
---@field database integer? default 0
---@field key string? default "connectly:limiter"
---@field rate number? requests in any second, of all together; default 200
---@field fraction number? of the rate, for each process while Redis is away; default 0.1
---@field timeout number? seconds for one question on one connection; default 0.25

---A limiter that all processes share who use one Redis (5 or newer), on one machine
---or many. Make one a process.
---
---Promised: no more than `rate` leave in any second, as long as all reach the same
---Redis; after a 429 the others stop within a quarter of a second; no call fails
---because Redis is away. Then each process stops for 1.3 seconds, and goes on with
---`fraction` of the rate (event `limiter_lost`, with the reason). The first that
---finds Redis back holds all up until each has had the time to find out, about three
---seconds, and then the rate is the whole one again (event `limiter_back`).
---
---Not promised: that processes * fraction is 1 at the most, which is yours to see to
---(and that rate * fraction is 1 at least); nor the rate while some reach Redis and
---others do not, which then send their fraction besides; nor, for the second after
---Redis was out of reach without ending, when the first to ask is a process that
---asked nothing meanwhile; nor for the quarter of a second in which Redis's clock is
---set forward.
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
