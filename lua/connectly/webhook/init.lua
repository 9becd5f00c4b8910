---Webhooks: whether one is from Connectly, and what it says.
---
---  local webhook = require("connectly.webhook").new{ secret = "…" }
---  if webhook:verify(raw_body, signature) then
---    local event = webhook:parse(raw_body)
---  end
---
---Nothing here reads a request; connectly.openresty.webhook does, in nginx.

local errors = require "connectly.errors"
local json = require "connectly.json"
local native = require "connectly.loader"
local events = require "connectly.webhook.event"

---@class connectly.WebhookEvent API: webhooks, payloads
---@field kind "status"|"message"|"button"|"report"|"unknown"
---@field raw string the body, byte for byte
---@field body table? the body decoded by lua-cjson; whole numbers beyond 2^53 are strings of digits; nil when it is no JSON
---@field topic string? as the webhook names it; often absent
---@field timestamp number? Unix seconds
---@field from string? the sender's id: a number, or a BSUID; not always E.164
---@field to string? the recipient's id
---@field customer {id: string?, name: string?, user_id: string?, phone_number: string?, channel_type: string?}?
---@field id string? of status: what the send call returned; else the API's own id, where there is one
---@field status string? of status: "sent", "delivered", "read", "delivery_failed"; an open set
---@field error connectly.Error? of status: why it was not delivered
---@field text string? of message and button
---@field attachments {type: string?, url: string?, caption: string?, filename: string?}[]? of message and button
---@field referral table<string, string>? of message: the ad it came from, ctwa_clid, source_url, source_id, …
---@field button {text: string?, payload: string?, id: string?}? of button
---@field reply_to string? what is replied to; a UUID, not the id of a send call
---@field is_echo boolean? of message: true when the business itself sent it
---@field report {id: string?, name: string?, type: string?, last_run: table?}? of report; last_run: id, status, result
---@field callback_data any what was given to the send call
---@field campaign_name string?

local SECRETS_MAX = 16

local webhook = {}

---The header that holds the signature. API: webhooks, delivery mechanics.
webhook.SIGNATURE_HEADER = "x-connectly-hmac-sha256"

-- What belongs to a webhook, kept from its users: a printed one shows nothing.
local secrets_of = setmetatable({}, { __mode = "k" })

local function secrets(handle, method)
  local found = secrets_of[handle]
  if not found then
    error(("connectly: webhook expected, got %s (call it as webhook:%s(...))"):format(type(handle), method), 3)
  end
  return found
end

--- No value of an option in it: any of them may be a secret.
local function refuse(param, problem)
  error(errors.config(param, problem), 0)
end

local function check_secret(param, secret)
  if type(secret) ~= "string" then
    refuse(param, "string expected, got " .. type(secret))
  elseif secret == "" then
    refuse(param, "must not be empty")
  end
  return secret
end

local function check_secrets(list)
  if type(list) ~= "table" then
    refuse("secrets", "list expected, got " .. type(list))
  elseif #list == 0 or #list > SECRETS_MAX then
    refuse("secrets", ("1 to %d expected, got %d"):format(SECRETS_MAX, #list))
  end
  local checked = {}
  for index = 1, #list do
    checked[index] = check_secret(("secrets[%d]"):format(index), list[index])
  end
  return checked
end

local function check(options)
  if type(options) ~= "table" then
    refuse("options", "table expected, got " .. type(options))
  end
  for name in pairs(options) do
    if name ~= "secret" and name ~= "secrets" then
      -- Its name is not shown: a secret that was put in a wrong place may be it.
      refuse("options", "only `secret` or `secrets` is known")
    end
  end
  if options.secret ~= nil and options.secrets ~= nil then
    refuse("secrets", "given beside `secret`: one of the two is enough")
  end
  return options.secrets ~= nil and check_secrets(options.secrets) or { check_secret("secret", options.secret) }
end

local methods = {}

---Whether a body is from Connectly: its signature is the base64 of its HMAC-SHA256
---under one of the secrets. Compared in constant time. Whatever came from outside
---makes it false, never an error. API: webhooks, delivery mechanics.
---@param raw_body string? the bytes as they came, before any decoding
---@param signature any the value of the header x-connectly-hmac-sha256
---@return boolean
function methods:verify(raw_body, signature)
  local own = secrets(self, "verify")
  if raw_body ~= nil and type(raw_body) ~= "string" then
    error(("connectly: verify: the raw body expected, a string; got %s"):format(type(raw_body)), 2)
  end
  if raw_body == nil or type(signature) ~= "string" then
    return false
  end
  return native.verify_webhook(own, raw_body, signature)
end

---What a body says. Every shape that the API's pages show has a kind; any other,
---also what is no JSON at all, is `unknown`, with `raw`. Never fails.
---API: webhooks, payloads.
---@param raw_body string
---@return connectly.WebhookEvent
function methods:parse(raw_body)
  secrets(self, "parse")
  if type(raw_body) ~= "string" then
    error(("connectly: parse: the raw body expected, a string; got %s"):format(type(raw_body)), 2)
  end
  return events.read(raw_body)
end

local metatable = {
  __name = "connectly.webhook", __metatable = "connectly.webhook", __index = methods,
  __tostring = function() return "connectly.webhook" end,
}

---Makes one. Several secrets are good at once, while one takes the place of another.
---Raises a connectly.Error of kind `config` when the options are wrong.
---@param options {secret: string?, secrets: string[]?} one of the two; a secret's bytes are used as they are
---@return connectly.Webhook webhook
function webhook.new(options)
  local checked = check(options)
  -- Now rather than at the first webhook, where nobody could say so.
  json.load()
  local made = setmetatable({}, metatable)
  secrets_of[made] = checked
  return made
end

---Makes a store of what became of messages.
---@param options connectly.StatusStoreOptions?
---@return connectly.StatusStore store
function webhook.status_store(options)
  return require("connectly.webhook.status_store").new(options)
end

return webhook
