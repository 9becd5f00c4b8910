-- The examples of each endpoint: fixtures that the tests also send, or a message given here.

local fixtures = require "spec.support.fixtures"
local lua_table = require "spec.support.reference.lua_table"

local examples = {}

-- { a caption, the name of a fixture or the message itself }
local CHOSEN = {
  send_template = {
    { "Two variables:", "template_plain" },
    { "A document, a suffix for a button's URL, a given sender:", "template_document" },
    { "A carousel:", "template_carousel" },
    { "With the API's parameter names:", {
      number = "+14155550123", template_name = "order_shipped", language = "en_US",
      parameters = { body_1 = "Ana", body_2 = "A-1007" },
    } },
  },
  send_session = {
    { "A text:", "session_text" },
    { "An image; `video`, `audio` and `document` work alike:", "session_image" },
    { "A location:", "session_location" },
    { "A list:", "session_list" },
    { "Buttons:", "session_buttons" },
    { "A product:", "session_product" },
  },
  send_campaigns = { { "Two recipients:", { entries = {
    { number = "+14155550123", campaign_name = "welcome" },
    {
      number = "+14155550124", campaign_name = "welcome", campaign_version = "2", sender = "+14155550100",
      variables = { first_name = "Bo" }, scheduled_at = "2026-12-01T15:00:00Z",
    },
  } } } },
  create_webhook = { { "With a filter:", "webhook" } },
  list_webhooks = { { "Without a message:", nil } },
  update_webhook = { { "A new address:", "webhook_update" } },
  delete_webhook = { { "By its id:", { id = "wh_example1" } } },
  create_template = { { "Three components:", "create_template" } },
  list_templates = { { "Without a message:", nil } },
  quality_signals = { { "Without a message:", nil } },
  create_asset = { { "A public asset:", "asset" } },
  get_asset = { { "By its id:", { id = "header-1" } } },
  list_reports = { { "Of one type:", { type = "campaign.daily.v1" } } },
  request = { { "Any path:", { method = "GET", path = "/webhooks" } } },
}

local by_file = {}
for _, fixture in ipairs(fixtures.read "messages") do
  by_file[fixture.file] = fixture
end

--- `client:send_template{...}` of a message.
local function call_of(operation, message)
  local result = operation.reply == "id" and "id" or operation.reply == "campaigns" and "result" or "reply"
  local arguments = message and lua_table.write(message, operation.shape) or "()"
  return ("local %s, info = client:%s%s"):format(result, operation.name, arguments)
end

--- The examples of an operation, each { sentence, source, message }, or nil when it has none.
---@param operation table of native.operations()
---@return table[]?
function examples.of(operation)
  local list = {}
  for index, chosen in ipairs(CHOSEN[operation.name] or {}) do
    local message = chosen[2]
    if type(message) == "string" then
      message = assert(by_file[message], "no such fixture: " .. message).friendly
    end
    list[index] = { sentence = chosen[1], source = call_of(operation, message), message = message }
  end
  return #list > 0 and list or nil
end

return examples
