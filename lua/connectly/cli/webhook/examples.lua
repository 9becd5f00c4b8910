--- Example webhooks, one of each kind, as the API's pages show them. API: webhooks,
--- payloads. The numbers are reserved for examples.

local json = require "connectly.json"

local OUTBOUND = [["sender":{"id":"+14155550100","channelType":"whatsapp","name":null},]]
  .. [["recipient":{"id":"+14155550123","channelType":"whatsapp","name":"Ana"}]]
local INBOUND = [["sender":{"id":"+14155550123","channelType":"whatsapp","name":"Ana"},]]
  .. [["recipient":{"id":"+14155550100","channelType":"whatsapp","name":null}]]

local FAILURE = [[{"message":"Internal server error","type":"ERROR_TYPE_UNSPECIFIED","code":"ERROR_CODE_UNSPECIFIED",]]
  .. [["userTitle":"","userMessage":"","cntTraceId":"15555555555555555555","details":{}}]]

local function status(name, failure)
  return ([[{"topic":"delivery_status","timestamp":"$time",%s,"statusUpdate":{"id":$id,"status":"%s","error":%s},]]
    .. [["metadata":null}]]):format(OUTBOUND, name, failure or "null")
end

local function message(content)
  return ([[{"topic":"messages","timestamp":"$time",%s,%s,"metadata":null}]]):format(INBOUND, content)
end

-- $time, $date and $id are put in.
local BODY = {
  sent = status "sent",
  delivered = status "delivered",
  read = status "read",
  failed = status("delivery_failed", FAILURE),
  text = message [["message":{"text":"Hi, is it open today?"}]],
  media = message [["message":{"attachments":[{"type":"image","url":"https://cdn.connectly.ai/example/abc"}]}]],
  button = message([["context":{"replyToId":"7b0e4f38-52f3-4f0e-8a55-1f6c2f0f9d11"},]]
    .. [["buttonResponse":{"id":$id,"text":"Yes","payload":"1"}]]),
  referral = message([["message":{"text":"I saw your ad","referral":{"ctwaClid":"ARexampleclid",]]
    .. [["sourceUrl":"https://fb.me/example","sourceId":"120000000000000000","sourceType":"ad","headline":"Autumn sale",]]
    .. [["body":"Up to half price","mediaType":"image","imageUrl":"https://example.com/i.jpg","videoUrl":"",]]
    .. [["thumbnailUrl":""}}]]),
  report = [[{"topic":"report","timestamp":"$date","report":{"id":$id,"name":"Daily campaigns","type":"campaign.daily.v1",]]
    .. [["last_run":{"id":"run1","status":"completed","result":{"url":"https://files.example.com/r.csv",]]
    .. [["expires_at":"$date","created_at":"$date"}}}}]],
}

local examples = {
  kinds = { "sent", "delivered", "read", "failed", "text", "media", "button", "referral", "report" },
}

--- Whether webhooks of a kind have an id.
---@param kind string
---@return boolean
function examples.has_id(kind)
  return BODY[kind]:find("$id", 1, true) ~= nil
end

---@param kind string one of examples.kinds
---@param id string
---@param now integer Unix seconds
---@return string body
function examples.body(kind, id, now)
  local values = { id = assert(json.encode(id)), time = ("%d"):format(now), date = require("connectly.loader").datetime(now) }
  return (BODY[kind]:gsub("%$(%l+)", values))
end

return examples
