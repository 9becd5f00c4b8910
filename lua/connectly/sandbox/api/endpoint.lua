--- Shared by all endpoints of the API: checks the caller and the body, and applies scripted
--- replies and faults.

local answer = require "connectly.sandbox.http.answer"
local json = require "connectly.sandbox.http.json"

--- Answers a request. The last argument is the id in the path, besides the business id.
---@alias connectly.sandbox.perform
---| fun(sandbox: connectly.sandbox, request: connectly.sandbox.request, body: table, id: string?):
---| connectly.sandbox.answer

---@class connectly.sandbox.endpoint
---@field operation string  name of the client's method
---@field shape connectly.sandbox.checker|nil  nil: the body is not checked
---@field limit "sends"|"assets"|nil  the rate limit that applies
---@field is_send boolean|nil  counted in the store; scripts that name no operation apply
---@field perform connectly.sandbox.perform
---@field accept function|nil  of a send: accepts the message without a check; returns its id

local endpoint = {}

local function refuse_caller(sandbox, request, business_id)
  if request.headers:get("x-api-key") ~= sandbox.api_key then
    return answer.refuse(401, "X-API-Key: missing or not the key of this business")
  elseif business_id ~= sandbox.business_id then
    return answer.refuse(404, "no such business")
  end
end

local function check_body(each, request)
  if not each.shape then
    return {}
  end
  local body, reason = json.decode_object(request.body)
  if not body then
    return nil, "body: not JSON: " .. reason
  end
  local complaint = each.shape(body, "")
  return not complaint and body or nil, complaint
end

local function process(each, sandbox, request, business_id, id)
  local refused = refuse_caller(sandbox, request, business_id)
  if refused then
    return refused
  elseif each.limit and not sandbox.rate:allows(each.limit) then
    return answer.refuse(429, "too many requests in one second")
  end
  local body, complaint = check_body(each, request)
  if not body then
    return answer.refuse(400, complaint)
  end
  return each.perform(sandbox, request, body, id)
end

local function is_delivered(reply)
  if reply.deliver == nil then
    return reply.status < 300
  end
  return reply.deliver
end

--- Performs a scripted request: a send is accepted without a check, other operations run as usual.
local function do_unseen(each, sandbox, request, reply, ...)
  if each.accept then
    return json.encode({ id = each.accept(sandbox, request, reply) })
  end
  return process(each, sandbox, request, ...).body
end

--- Answers with the script's status. Performs the request first if the script says so.
---@return connectly.sandbox.answer
function endpoint.scripted(each, sandbox, request, reply, ...)
  local body = is_delivered(reply) and do_unseen(each, sandbox, request, reply, ...) or "{}"
  if reply.status >= 300 then
    body = answer.refuse(reply.status, "scripted reply").body
  end
  return answer.new(reply.status, body)
end

---@param given connectly.sandbox.answer
---@param reply connectly.sandbox.reply
---@return connectly.sandbox.answer
function endpoint.adorn(given, reply)
  given.body = reply.body or given.body
  given.headers = reply.headers or given.headers
  given.delay, given.hang_up = reply.delay or given.delay, reply.hang_up or given.hang_up
  return given
end

--- A script without a status only modifies the usual reply.
---@param each connectly.sandbox.endpoint
---@return function handler  of sandbox, request, business id, and the other id in the path
function endpoint.new(each)
  return function(sandbox, request, business_id, id)
    if each.is_send then
      sandbox.store:count_request()
    end
    if not request.body then
      return answer.refuse_large_body()
    end
    local reply = sandbox.store:next_reply(each.operation, each.is_send) or {}
    request.fate = reply.fate
    local given = reply.status and endpoint.scripted(each, sandbox, request, reply, business_id, id)
      or process(each, sandbox, request, business_id, id)
    return endpoint.adorn(given, reply)
  end
end

return endpoint
