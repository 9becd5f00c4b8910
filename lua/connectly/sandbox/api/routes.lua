--- Maps paths and methods to handlers.

local answer = require "connectly.sandbox.http.answer"
local assets = require "connectly.sandbox.api.assets"
local business = require "connectly.sandbox.api.business"
local campaigns = require "connectly.sandbox.api.campaigns"
local control = require "connectly.sandbox.api.control"
local operations = require "connectly.sandbox.api.operations"
local send = require "connectly.sandbox.api.send"
local templates = require "connectly.sandbox.api.template_endpoints"
local webhooks = require "connectly.sandbox.api.webhooks"
local decode_segment = require("http.util").decodeURIComponent

local businesses = "/v1/businesses/"

---@class connectly.sandbox.route
---@field method string
---@field path string  a segment in braces is a placeholder
---@field name string|nil  the operation, by the name of the client's method
---@field handler fun(sandbox: connectly.sandbox, request: connectly.sandbox.request, ...: string): connectly.sandbox.answer
---@field pattern string  of the whole path

---@type connectly.sandbox.route[]
local list = {}

local function pattern_of(path)
  local escaped = path:gsub("[%.%-]", "%%%0")
  return "^" .. escaped:gsub("{[%w_]+}", "([^/]+)") .. "$"
end

local function add(method, path, handler, name)
  list[#list + 1] = { method = method, path = path, name = name, handler = handler, pattern = pattern_of(path) }
end

local handlers = {
  send_template = send.template,
  send_session = send.session,
  send_campaigns = campaigns.start,
  create_webhook = webhooks.create,
  list_webhooks = webhooks.list,
  update_webhook = webhooks.update,
  delete_webhook = webhooks.delete,
  create_template = templates.create,
  list_templates = templates.list,
  quality_signals = business.quality_signals,
  create_asset = assets.create,
  get_asset = assets.get,
  list_reports = business.reports,
}

for _, each in ipairs(operations) do
  add(each.method, businesses .. "{business_id}" .. each.path, handlers[each.name], each.name)
end

for _, name in ipairs({ "health", "deliveries", "webhooks", "magic" }) do
  add("GET", "/_sandbox/" .. name, control[name])
end
for _, name in ipairs({
  "reset", "replies", "faults", "rate_limit", "inbound", "opt_out", "clock", "templates", "review",
  "campaigns", "report",
}) do
  add("POST", "/_sandbox/" .. name, control[name])
end
add("POST", "/_sandbox/webhooks", control.webhook_settings)

local routes = { list = list }

--- Returns the route of a path and the values of its placeholders; or nil and the methods
--- allowed for the path.
local function match(method, path)
  local allowed = {}
  for _, route in ipairs(list) do
    local captured = { path:match(route.pattern) }
    if captured[1] and route.method == method then
      return route, captured
    elseif captured[1] then
      allowed[#allowed + 1] = route.method
    end
  end
  return nil, allowed
end

--- Finds the route of an operation's path, which may contain braces and may omit the
--- business: "/assets/{asset_id}".
---@param method string
---@param path string
---@return connectly.sandbox.route?
function routes.find(method, path)
  local is_whole = path:find("^/v1/") or path:find("^/_sandbox/")
  local whole = is_whole and path or businesses .. "{business_id}" .. path
  return (match(method, whole:match("^[^?]*")))
end

local function decoded(captured)
  local segments = {}
  for index, segment in ipairs(captured) do
    segments[index] = decode_segment(segment)
  end
  return segments
end

--- Answers any request.
---@param sandbox connectly.sandbox
---@param request connectly.sandbox.request
---@return connectly.sandbox.answer
function routes.answer(sandbox, request)
  local route, found = match(request.method, request.path)
  if route then
    local segments = decoded(found)
    return route.handler(sandbox, request, segments[1], segments[2])
  elseif #found == 0 then
    return answer.refuse(404, "no such path in the sandbox")
  end
  local refused = answer.refuse(405, "method not allowed: use " .. table.concat(found, " or "))
  refused.headers.Allow = table.concat(found, ", ")
  return refused
end

return routes
