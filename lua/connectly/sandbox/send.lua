--- The two send endpoints. API: template message, session message.

local answer = require "connectly.sandbox.answer"
local check = require "connectly.sandbox.check"
local json = require "connectly.sandbox.json"

local function default_body(status, id)
  if status < 300 then
    return json.encode({ id = id })
  end
  return answer.refuse(status, "scripted reply").body
end

local function visible_headers(headers)
  local visible = {}
  for name, value in headers:each() do
    if name:sub(1, 1) ~= ":" and name ~= "x-api-key" then
      visible[name] = visible[name] and visible[name] .. ", " .. value or value
    end
  end
  return visible
end

local function number_of(body)
  if type(body) ~= "table" then
    return nil
  end
  local recipient = type(body.recipient) == "table" and body.recipient or {}
  return body.number or recipient.id
end

local function deliver(store, endpoint, request, body)
  return store:deliver({
    endpoint = endpoint,
    number = number_of(body),
    body = request.body,
    headers = visible_headers(request.headers),
    http_version = request.http_version,
  })
end

local function new_context(sandbox, request)
  local store = sandbox.store
  return {
    default_sender = sandbox.sender,
    callback_data = json.raw_member(request.body, "callbackData"),
    find_template = function(name, language)
      return store:find_template(name, language)
    end,
    conversation = function(number, sender)
      return store:conversation(number, sender)
    end,
    opted_out = function(number)
      return store:opted_out(number)
    end,
  }
end

local function refuse_caller(sandbox, request, business_id)
  if request.headers:get("x-api-key") ~= sandbox.api_key then
    return answer.refuse(401, "X-API-Key: missing or not the key of this business")
  elseif business_id ~= sandbox.business_id then
    return answer.refuse(404, "no such business")
  end
end

local function process(sandbox, endpoint, request, business_id)
  local refused = refuse_caller(sandbox, request, business_id)
  if refused then
    return refused
  end
  local body, reason = json.decode_object(request.body)
  if not body then
    return answer.refuse(400, "body: not JSON: " .. reason)
  end
  local refusal = endpoint.check(body, new_context(sandbox, request))
  if refusal then
    return answer.problem(refusal)
  end
  return answer.json({ id = deliver(sandbox.store, endpoint.name, request, body) })
end

local function is_delivered(reply)
  if reply.deliver == nil then
    return reply.status < 300
  end
  return reply.deliver
end

local function scripted(sandbox, endpoint, request, reply)
  local id
  if is_delivered(reply) then
    id = deliver(sandbox.store, endpoint.name, request, json.decode(request.body))
  end
  return answer.new(reply.status, default_body(reply.status, id))
end

local function adorn(given, reply)
  given.body = reply.body or given.body
  given.headers = reply.headers or given.headers
  given.delay, given.hang_up = reply.delay, reply.hang_up
  return given
end

--- A script without a status only adorns what would have been answered.
local function handler(endpoint)
  return function(sandbox, request, business_id)
    sandbox.store:count_request()
    if not request.body then
      return answer.refuse_large_body()
    end
    local reply = sandbox.store:next_reply() or {}
    local given = reply.status and scripted(sandbox, endpoint, request, reply)
      or process(sandbox, endpoint, request, business_id)
    return adorn(given, reply)
  end
end

return {
  template = handler({ name = "send_template", check = check.template }),
  session = handler({ name = "send_session", check = check.session }),
}
