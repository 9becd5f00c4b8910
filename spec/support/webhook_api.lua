--- An API that posts webhooks, in the spec's own cqueues controller. It accepts the registration
--- of an address for a topic, answers a send with an id, and then posts the message's signed
--- statuses to that address, one after the other.
---
---   local api = webhook_api.start(controller, { secret = "…", statuses = { "sent", "delivered", "read" } })
---   ... base_url = api.base_url, api_key = api.api_key, business_id = api.business_id ...
---   api.posted     the outcome of each POST: { status =, answer = 200 }
---   api:stop()

local basexx = require "basexx"
local cjson = require "cjson"
local hmac = require "openssl.hmac"
local http_headers = require "http.headers"
local http_request = require "http.request"
local http_server = require "http.server"
local ulid = require("connectly.sandbox.state.ulid").source()

local PATIENCE = 10 -- seconds for one request

local webhook_api = {}

local api = {}
api.__index = api

local function sign(self, body)
  return basexx.to_base64(hmac.new(self.secret, "sha256"):final(body))
end

--- The body of a status webhook. API: webhooks, topic delivery_status.
local function status_body(id, status, message)
  local is_failure = status == "delivery_failed"
  return cjson.encode {
    topic = "delivery_status", timestamp = ("%d"):format(os.time()),
    sender = { id = "+14155550100", channelType = "whatsapp", name = cjson.null },
    recipient = { id = message.number, channelType = "whatsapp", name = cjson.null },
    statusUpdate = { id = id, status = status, error = is_failure and {
      message = "Internal server error", type = "ERROR_TYPE_UNSPECIFIED", code = "ERROR_CODE_UNSPECIFIED",
      cntTraceId = "15555555555555555555",
    } or cjson.null },
    callbackData = message.callbackData,
  }
end

local function post(self, address, body)
  local request = http_request.new_from_uri(address)
  request.headers:upsert(":method", "POST")
  request.headers:upsert("content-type", "text/plain; charset=utf-8")
  request.headers:upsert("x-connectly-hmac-sha256", sign(self, body))
  request:set_body(body)
  local headers, stream = request:go(PATIENCE)
  assert(headers, stream)
  stream:shutdown()
  return tonumber(headers:get(":status"))
end

local function post_statuses(self, id, message)
  for _, status in ipairs(self.statuses) do
    local answer = post(self, self.address, status_body(id, status, message))
    self.posted[#self.posted + 1] = { status = status, answer = answer }
  end
end

local function take(self, path, body)
  if path:find("/create/webhooks$") then
    assert(body.topic == "delivery_status", "another topic: " .. tostring(body.topic))
    self.address = body.address
    return { id = "wh_1" }
  end
  local id = ulid(1000 * os.time())
  self.controller:wrap(function() post_statuses(self, id, body) end)
  return { id = id }
end

local function serve(self, stream)
  local headers = assert(stream:get_headers(PATIENCE))
  local body = assert(stream:get_body_as_string(PATIENCE))
  local reply = cjson.encode(take(self, headers:get(":path"), cjson.decode(body)))
  local answer = http_headers.new()
  answer:append(":status", "200")
  answer:append("content-length", tostring(#reply))
  stream:write_headers(answer, false, PATIENCE)
  stream:write_chunk(reply, true, PATIENCE)
end

---@param controller table of cqueues, in which it runs
---@param options { secret: string, statuses: string[] }
---@return table api
function webhook_api.start(controller, options)
  local self = setmetatable({
    controller = controller, secret = options.secret, statuses = options.statuses, posted = {},
    api_key = "sandbox-key", business_id = "sandbox-business",
  }, api)
  self.server = assert(http_server.listen {
    host = "127.0.0.1", port = 0, tls = false, cq = controller, onstream = function(_, stream) serve(self, stream) end,
  })
  assert(self.server:listen())
  local _, _, port = self.server:localname()
  self.base_url = ("http://127.0.0.1:%d"):format(port)
  return self
end

function api:stop()
  self.server:close()
end

return webhook_api
