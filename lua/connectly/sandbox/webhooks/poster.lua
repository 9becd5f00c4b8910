--- Posts signed webhooks. Those of one message are posted in order; a webhook is retried
--- unless the answer is 200. API: webhooks, delivery mechanics.
---
--- The API's retry schedule is not documented. The sandbox retries a webhook `retries` times,
--- the first time after `backoff` seconds, then after twice as long each time (at most 60
--- seconds). Then it gives up, and continues with the message's next webhook.

local condition = require "cqueues.condition"
local cqueues = require "cqueues"
local yieldable_pcall = require("http.util").yieldable_pcall

local address = require "connectly.sandbox.check.address"
local native = require "connectly.loader"
local post = require "connectly.sandbox.webhooks.post"

local most_journeys = 10000 -- pending at a time; further ones are dropped and counted
local most_at_once = 32 -- concurrent POSTs
local most_attempts_kept = 1000
local longest_backoff = 60 -- seconds

local usual = {
  secret = "sandbox-secret",
  retries = 5,
  backoff = 0.25, -- seconds before the first retry, doubled each time
  timeout = 5, -- seconds for one POST
  pace = 0.1, -- seconds before each webhook of a message
  read = true, -- whether customers have enabled read receipts
  old_spellings = false,
}

---@class connectly.sandbox.event
---@field topic "messages"|"delivery_status"|"report"
---@field body string
---@field campaign_name string|nil  for filters
---@field filtered boolean|nil  whether the registration's filters apply

---@class connectly.sandbox.poster
local poster = {}
poster.__index = poster

---@class connectly.sandbox.poster.options
---@field beside fun(task: fun())  runs a task in a coroutine of the loop
---@field find_webhook fun(event: connectly.sandbox.event): table?  returns the receiving registration
---@field log fun(line: string)
---@field now fun(): number  Unix seconds on the sandbox's clock
---@field settings table|nil  override the defaults

---@param options connectly.sandbox.poster.options
---@return connectly.sandbox.poster
function poster.new(options)
  local self = setmetatable({}, poster)
  for key, value in pairs(options) do
    self[key] = value
  end
  self.settings_at_start = options.settings or {}
  self.turned, self.active, self.generation = condition.new(), 0, 0
  self:reset()
  return self
end

--- Restores the initial settings and drops pending webhooks.
function poster:reset()
  self.generation = self.generation + 1
  self.ready = { first = 1, last = 0 }
  self.attempts, self.waiting, self.dropped, self.settings = {}, 0, 0, {}
  self:configure(usual)
  self:configure(self.settings_at_start)
  self.turned:signal()
end

---@param wish table  any of the settings
function poster:configure(wish)
  for key in pairs(usual) do
    if wish[key] ~= nil then
      self.settings[key] = wish[key]
    end
  end
end

--- Wakes the journeys that wait for a time: the sandbox's clock was advanced.
function poster:wake()
  self.turned:signal()
end

---@param body string
---@return string signature  base64 of the HMAC-SHA256
function poster:sign(body)
  return native.webhook_sign(self.settings.secret, body) or ""
end

local function keep_attempt(self, attempt)
  local attempts = self.attempts
  if #attempts >= most_attempts_kept then
    table.remove(attempts, 1)
  end
  attempts[#attempts + 1] = attempt
end

local function post_event(self, webhook, event, count)
  local signature = self:sign(event.body)
  local status, reason = post(address.parse(webhook.address), event.body, {
    ["content-type"] = "text/plain; charset=utf-8",
    ["accept-encoding"] = "gzip",
    ["user-agent"] = "go-resty/2.6.0 (connectly sandbox)",
    ["x-connectly-hmac-sha256"] = signature,
  }, self.settings.timeout)
  self.log(("webhook %s attempt %d: %s"):format(event.topic, count, status or reason))
  return {
    topic = event.topic, address = webhook.address, attempt = count, status = status, reason = reason,
    body = event.body, signature = signature, at = self.now(),
  }
end

local function push(self, journey)
  local ready = self.ready
  ready.last = ready.last + 1
  ready[ready.last] = journey
end

local function pop(self)
  local ready = self.ready
  local journey = ready[ready.first]
  if journey then
    ready[ready.first] = nil
    ready.first = ready.first + 1
  end
  return journey
end

local function wait_for(self, journey, delay)
  if delay > 0 then
    cqueues.sleep(delay)
  end
  while journey.not_before and self.now() < journey.not_before and journey.generation == self.generation do
    self.turned:wait(math.min(journey.not_before - self.now(), 60))
  end
end

local start

local function schedule(self, journey, delay)
  if delay <= 0 and not journey.not_before then
    push(self, journey)
    return start(self)
  end
  self.beside(function()
    wait_for(self, journey, delay)
    if journey.generation == self.generation then
      push(self, journey)
      start(self)
    end
  end)
end

local function advance(self, journey)
  journey.at, journey.count, journey.event = journey.at + 1, 0, nil
  if journey.at > #journey.steps then
    self.waiting = self.waiting - 1
    return
  end
  schedule(self, journey, self.settings.pace)
end

--- Makes one attempt to post the current event of a journey.
local function travel(self, journey)
  journey.event = journey.event or journey.steps[journey.at]()
  local webhook = self.find_webhook(journey.event)
  if not webhook then
    return advance(self, journey)
  end
  journey.count = journey.count + 1
  local attempt = post_event(self, webhook, journey.event, journey.count)
  if journey.generation ~= self.generation then
    return
  end
  keep_attempt(self, attempt)
  if attempt.status == 200 or journey.count > self.settings.retries then
    return advance(self, journey)
  end
  schedule(self, journey, math.min(longest_backoff, self.settings.backoff * 2 ^ (journey.count - 1)))
end

--- Runs ready journeys. An error drops only its journey: a script may accept a body that is not a
--- message, for which no event can be made.
local function drain(self)
  for journey in pop, self do
    local ok, reason = yieldable_pcall(travel, self, journey)
    if not ok and journey.generation == self.generation then
      self.waiting = self.waiting - 1
      self.log("error: " .. tostring(reason))
    end
  end
end

function start(self)
  if self.active >= most_at_once then
    return
  end
  self.active = self.active + 1
  self.beside(function()
    drain(self)
    self.active = self.active - 1
  end)
end

--- Schedules a journey. Each step creates its event when its turn comes.
---@param steps (fun(): connectly.sandbox.event)[]
---@param delay number  seconds before the first
---@param not_before number|nil  Unix seconds on the sandbox's clock
function poster:submit(steps, delay, not_before)
  if #steps == 0 then
    return
  elseif self.waiting >= most_journeys then
    self.dropped = self.dropped + 1
    return
  end
  self.waiting = self.waiting + 1
  schedule(self, {
    steps = steps, at = 1, count = 0, generation = self.generation, not_before = not_before,
  }, delay)
end

return poster
