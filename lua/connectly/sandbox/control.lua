--- The sandbox's own routes, by which tests and demos turn its knobs. They
--- need no key and answer only to this machine.

local answer = require "connectly.sandbox.answer"
local json = require "connectly.sandbox.json"
local shape = require "connectly.sandbox.shape"
local templates = require "connectly.sandbox.templates"

local text, object = shape.text, shape.object

local hang_ups = { before_reply = true, in_body = true }

local function boolean(value, path)
  return type(value) ~= "boolean" and path .. ": boolean expected" or nil
end

local function hang_up(value, path)
  return not hang_ups[value] and path .. ": before_reply or in_body expected" or nil
end

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

local reply = object({
  { "status", shape.number(200, 599) },
  { "headers", header_values },
  { "body", text() },
  { "delay", shape.number(0, 3600) },
  { "deliver", boolean },
  { "times", shape.number(1, 1000000) },
  { "hang_up", hang_up },
})

local shapes = {
  replies = object({ { "replies", shape.list(reply), "required" } }),
  inbound = object({ { "number", text(nil, 1), "required" }, { "sender", text(nil, 1) } }),
  opt_out = object({ { "number", text(nil, 1), "required" } }),
  clock = object({ { "advance", shape.number(-1e9, 1e9), "required" } }),
  templates = templates.check,
  reset = shape.anything,
}

local actions = {
  replies = function(store, body)
    for _, each in ipairs(body.replies) do
      store:script(each)
    end
  end,
  inbound = function(store, body)
    store:hear(body.number, body.sender)
  end,
  opt_out = function(store, body)
    store:opt_out(body.number)
  end,
  clock = function(store, body)
    store:advance(body.advance)
  end,
  templates = function(store, body)
    store:add_template(body)
  end,
  reset = function(store)
    store:reset()
  end,
}

local function is_local(peer)
  return peer:find("^127%.") or peer:find("^::ffff:127%.") or peer == "::1" or peer == ""
end

local function guarded(handler)
  return function(sandbox, request)
    if not is_local(request.peer) then
      return answer.refuse(403, "only from the sandbox's own machine")
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
    local complaint = reason or shapes[name](body, "")
    if complaint then
      return answer.refuse(400, complaint)
    end
    actions[name](sandbox.store, body)
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
  local store = sandbox.store
  local list = json.encode_list(store.deliveries)
  return answer.new(200, ('{"deliveries":%s,"requests":%d}'):format(list, store.requests))
end)

for name in pairs(actions) do
  control[name] = action(name)
end

return control
