--- The two endpoints that send one message. API: template message, session message.

local answer = require "connectly.sandbox.http.answer"
local check = require "connectly.sandbox.check"
local delivery = require "connectly.sandbox.webhooks.delivery"
local endpoint = require "connectly.sandbox.api.endpoint"
local json = require "connectly.sandbox.http.json"
local magic = require "connectly.sandbox.state.magic"

local send = {}

local function member(value, key)
  if type(value) == "table" then
    return value[key]
  end
end

local function text(value)
  return type(value) == "string" and value or nil
end

local function number_of(body)
  return text(member(body, "number") or member(member(body, "recipient"), "id"))
end

local function sender_of(body)
  local sender = member(body, "sender")
  return text(sender) or text(member(sender, "id"))
end

--- Returns the raw bytes of callbackData; null counts as absent.
local function callback_data_of(request, body)
  return member(body, "callbackData") ~= nil and json.raw_member(request.body, "callbackData") or nil
end

--- Accepts a message. The body may have any shape: scripted sends are not checked.
---@param sandbox connectly.sandbox
---@param operation string
---@param request connectly.sandbox.request
---@param body any  decoded
---@return string id
local function deliver(sandbox, operation, request, body)
  return delivery.accept(sandbox, request, {
    endpoint = operation,
    number = number_of(body),
    sender = sender_of(body),
    campaign_name = text(member(body, "campaignName")),
    callback_data = callback_data_of(request, body),
    fate = request.fate,
    body = request.body,
  }, body)
end

local function new_context(sandbox, request)
  local store = sandbox.store
  return {
    default_sender = sandbox.sender,
    callback_data = json.raw_member(request.body, "callbackData"),
    find_template = function(name, language)
      return store.catalogue:find(name, language)
    end,
    conversation = function(number, sender)
      return store:conversation(number, sender)
    end,
    opted_out = function(number)
      return store:opted_out(number)
    end,
  }
end

--- Returns the scripted reply of a magic number or template name.
local function magic_reply(store, body)
  local entry = magic.find(number_of(body), body.templateName)
  local reply = entry and entry.reply
  return reply and (not reply.once or store:is_first_of_two(entry.name .. entry.number)) and reply or nil
end

local function perform(each)
  return function(sandbox, request, body)
    local refusal = each.check(body, new_context(sandbox, request))
    if refusal then
      return answer.problem(refusal)
    end
    local reply = magic_reply(sandbox.store, body) or {}
    request.fate = request.fate or reply.fate
    if reply.status then
      return endpoint.adorn(endpoint.scripted(each, sandbox, request, reply), reply)
    end
    return endpoint.adorn(answer.json({ id = each.accept(sandbox, request) }), reply)
  end
end

local function new_send(each)
  each.limit, each.is_send, each.shape = "sends", true, function() end
  function each.accept(sandbox, request)
    return deliver(sandbox, each.operation, request, json.decode(request.body))
  end
  each.perform = perform(each)
  return endpoint.new(each)
end

send.template = new_send({ operation = "send_template", check = check.template })
send.session = new_send({ operation = "send_session", check = check.session })

return send
