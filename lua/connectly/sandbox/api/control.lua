--- The control routes, for tests and demos. They need no key and answer only programs on
--- this machine (connectly.sandbox.http.caller).
---
---   GET  health        { status, requests, deliveries, now }
---   GET  deliveries    accepted messages, oldest first, with their status
---   GET  webhooks      { attempts, settings, waiting, dropped }: each POST of a webhook
---   GET  magic         numbers and template names with a fixed outcome
---   POST reset         restore the initial state; pending webhooks are dropped
---   POST replies       { replies = { reply, … } }: replies to the next requests
---   POST faults        { fault, times, operation, delay, code }: the same, by name of a fault
---   POST rate_limit    { enabled, sends, assets }: maximum of requests in any second
---   POST webhooks      { address, topic, secret, retries, backoff, timeout, pace, read, old_spellings }
---   POST inbound       a customer writes, see connectly.sandbox.webhooks.inbound
---   POST opt_out       { number }
---   POST clock         { advance }: seconds
---   POST templates     a template to add, see connectly.sandbox.state.templates
---   POST review        { name, language, status, reason }: pending, approved or rejected
---   POST campaigns     { name, published }
---   POST report        { type, name, status }: a report has run

local answer = require "connectly.sandbox.http.answer"
local business = require "connectly.sandbox.api.business"
local caller = require "connectly.sandbox.http.caller"
local delivery = require "connectly.sandbox.webhooks.delivery"
local event = require "connectly.sandbox.webhooks.event"
local faults = require "connectly.sandbox.state.faults"
local inbound = require "connectly.sandbox.webhooks.inbound"
local json = require "connectly.sandbox.http.json"
local magic = require "connectly.sandbox.state.magic"
local operations = require "connectly.sandbox.api.operations"
local shape = require "connectly.sandbox.check.shape"
local templates = require "connectly.sandbox.state.templates"
local webhooks = require "connectly.sandbox.api.webhooks"
local webhook_address = require "connectly.sandbox.check.address"

local text, object, one_of, number = shape.text, shape.object, shape.one_of, shape.number

local function header_values(value, path)
  if type(value) ~= "table" then
    return path .. ": object expected"
  end
  for name, content in pairs(value) do
    if type(name) ~= "string" or type(content) ~= "string" then
      return path .. ": names and values must be strings"
    end
  end
end

local operation_names = {}
for index, operation in ipairs(operations) do
  operation_names[index] = operation.name
end
local topics = { "messages", "delivery_status", "report" }

local reply = object({
  { "status", number(200, 599) },
  { "headers", header_values },
  { "body", text() },
  { "delay", number(0, 3600) },
  { "deliver", shape.boolean },
  { "times", number(1, 1000000) },
  { "hang_up", one_of({ "before_reply", "in_body", "reset" }) },
  { "operation", one_of(operation_names) },
})

local shapes = {
  replies = object({ { "replies", shape.list(reply), "required" } }),
  faults = object({
    { "fault", one_of(faults.names), "required" },
    { "times", number(1, 1000000) },
    { "operation", one_of(operation_names) },
    { "delay", number(0, 3600) },
    { "code", one_of(magic.codes) },
  }),
  rate_limit = object({
    { "enabled", shape.boolean }, { "sends", number(0, 1e6) }, { "assets", number(0, 1e6) },
  }),
  webhook_settings = object({
    { "address", webhook_address.check },
    { "topic", one_of(topics) },
    { "secret", text(nil, 1) },
    { "retries", number(0, 20) },
    { "backoff", number(0, 60) },
    { "timeout", number(0.01, 60) },
    { "pace", number(0, 3600) },
    { "read", shape.boolean },
    { "old_spellings", shape.boolean },
  }),
  inbound = inbound.shape,
  opt_out = object({ { "number", text(nil, 1), "required" } }),
  clock = object({ { "advance", number(-1e9, 1e9), "required" } }),
  templates = templates.check,
  review = object({
    { "name", text(nil, 1), "required" },
    { "language", text(nil, 1) },
    { "status", one_of({ "pending", "approved", "rejected" }), "required" },
    { "reason", text() },
  }),
  campaigns = object({ { "name", text(nil, 1), "required" }, { "published", shape.boolean } }),
  report = object({
    { "type", text(nil, 1) },
    { "name", text() },
    { "status", one_of({ "processing", "completed", "failed" }) },
  }),
  reset = shape.anything,
}

--- Each action changes the sandbox, or returns a complaint.
local actions = {
  replies = function(sandbox, body)
    for _, each in ipairs(body.replies) do
      sandbox.store:script(each)
    end
  end,
  faults = function(sandbox, body)
    sandbox.store:script(faults.script(body))
  end,
  rate_limit = function(sandbox, body)
    sandbox.rate:configure(body)
  end,
  webhook_settings = function(sandbox, body)
    sandbox.poster:configure(body)
    if body.address then
      webhooks.replace(sandbox.store, body.topic and { body.topic } or topics, body.address)
    end
  end,
  inbound = inbound.receive,
  opt_out = function(sandbox, body)
    sandbox.store:opt_out(body.number)
  end,
  clock = function(sandbox, body)
    sandbox.store:advance(body.advance)
    sandbox.poster:wake()
  end,
  templates = function(sandbox, body)
    sandbox.store.catalogue:add(body)
  end,
  review = function(sandbox, body)
    return not sandbox.store.catalogue:review(body) and "name: no such template" or nil
  end,
  campaigns = function(sandbox, body)
    sandbox.store.campaigns[body.name] = { published = body.published ~= false }
  end,
  report = function(sandbox, body)
    local report = business.run_report(sandbox.store, body)
    sandbox.poster:submit({ function()
      return event.report(report, sandbox.store:now())
    end }, 0)
  end,
  reset = function(sandbox)
    sandbox:reset()
  end,
}

local function guarded(handler)
  return function(sandbox, request)
    local fault = caller.fault(sandbox, request)
    if fault then
      return answer.refuse(403, fault)
    end
    return handler(sandbox, request)
  end
end

local function action(name)
  return guarded(function(sandbox, request)
    if not request.body then
      return answer.refuse_large_body()
    end
    local text_given = request.body ~= "" and request.body or "{}"
    local body, reason = json.decode_object(text_given)
    local complaint = reason or shapes[name](body, "") or actions[name](sandbox, body)
    if complaint then
      return answer.refuse(400, complaint)
    end
    return answer.json({ status = "ok", now = sandbox.store:now() })
  end)
end

local control = {}

control.health = guarded(function(sandbox)
  local store = sandbox.store
  return answer.json({
    status = "ok",
    requests = store.requests,
    deliveries = #store.deliveries,
    now = store:now(),
  })
end)

control.deliveries = guarded(function(sandbox)
  local list = json.array({})
  for index, each in ipairs(sandbox.store.deliveries) do
    list[index] = delivery.describe(each)
  end
  return answer.json({ deliveries = list, requests = sandbox.store.requests })
end)

control.webhooks = guarded(function(sandbox)
  local poster = sandbox.poster
  return answer.json({
    attempts = json.array(poster.attempts),
    settings = poster.settings,
    waiting = poster.waiting,
    dropped = poster.dropped,
  })
end)

control.magic = guarded(function()
  local list = {}
  for index, entry in ipairs(magic.entries) do
    list[index] = { number = entry.number, template = entry.template, does = entry.does }
  end
  return answer.json({ magic = list })
end)

for name in pairs(actions) do
  control[name] = action(name)
end

return control
