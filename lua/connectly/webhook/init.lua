---Webhooks: verifies that a request is from Connectly and parses its body.
---
---  local webhook = require("connectly.webhook").new{ secret = "…" }
---  if webhook:verify(raw_body, signature) then
---    local event = webhook:parse(raw_body)
---  end
---
---This module does not receive requests; in nginx, connectly.openresty.webhook does.

local errors = require "connectly.errors"
local private = require "connectly.private"
local json = require "connectly.json"
local native = require "connectly.loader"
local events = require "connectly.webhook.event"

---@class connectly.WebhookEvent API: webhooks, payloads
---@field kind "status"|"message"|"button"|"report"|"unknown"
---@field raw string the request body, byte for byte
---@field body table? the body decoded by lua-cjson; whole numbers beyond 2^53 are strings of digits; nil when not JSON
---@field topic string? the topic given in the webhook; often absent
---@field timestamp number? Unix seconds
---@field from string? the sender's id: a phone number (not always E.164) or a BSUID
---@field to string? the recipient's id
---@field customer {id: string?, name: string?, user_id: string?, phone_number: string?, channel_type: string?}?
---@field id string? of status: the id that the send call returned; else the API's own id, if any
---@field status string? of status: "sent", "delivered", "read", "delivery_failed"; an open set
---@field error connectly.Error? of status: why it was not delivered
---@field text string? of message and button
---@field attachments {type: string?, url: string?, caption: string?, filename: string?}[]? of message and button
---@field referral table<string, string>? of message: the ad that led to it: ctwa_clid, source_url, source_id, …
---@field button {text: string?, payload: string?, id: string?}? of button
---@field reply_to string? id of the message that this one replies to; a UUID, not the id of a send call
---@field is_echo boolean? of message: true when the business itself sent it
---@field report {id: string?, name: string?, type: string?, last_run: table?}? of report; last_run: id, status, result
---@field callback_data any the `callback_data` given to the send call
---@field campaign_name string?

local SECRETS_MAX = 16

local webhook = {}

---The name of the signature header. API: webhooks, delivery mechanics.
webhook.SIGNATURE_HEADER = "x-connectly-hmac-sha256"

-- The secrets of each webhook object, kept outside of it: printing the object must not show them.
local secrets_of, secrets = private.new("webhook", "webhook")

--- Never put an option's value into the message: it may be a secret.
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
      -- The option's name is not shown: it may be a misplaced secret.
      refuse("options", "only `secret` or `secrets` is known")
    end
  end
  if options.secret ~= nil and options.secrets ~= nil then
    refuse("secrets", "given beside `secret`: one of the two is enough")
  end
  return options.secrets ~= nil and check_secrets(options.secrets) or { check_secret("secret", options.secret) }
end

local methods = {}

---Tells whether a body is from Connectly: the signature must be the base64 of the body's
---HMAC-SHA256 under one of the secrets. The comparison takes constant time. Invalid input
---from the network gives false, never an error. API: webhooks, delivery mechanics.
---@param raw_body string? the body as received, before any decoding
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

---Parses a body. Every shape that the API's pages show has a kind. Any other body, even one
---that is not JSON, becomes an event of kind `unknown`, with `raw`. Never fails.
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

---Creates a webhook object. All secrets are accepted, so that one can replace another.
---Raises a connectly.Error of kind `config` when the options are wrong.
---@param options {secret: string?, secrets: string[]?} exactly one of the two; a secret's bytes are used unchanged
---@return connectly.Webhook webhook
function webhook.new(options)
  local checked = check(options)
  -- Report a missing lua-cjson now, not at the first webhook.
  json.load()
  local made = setmetatable({}, metatable)
  secrets_of[made] = checked
  return made
end

---Creates a store for the delivery statuses of messages.
---@param options connectly.StatusStoreOptions?
---@return connectly.StatusStore store
function webhook.status_store(options)
  return require("connectly.webhook.status_store").new(options)
end

return webhook
