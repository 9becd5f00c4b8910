--- Information about the business: quality signals and reports. API: quality signals, reports.

local answer = require "connectly.sandbox.http.answer"
local endpoint = require "connectly.sandbox.api.endpoint"
local json = require "connectly.sandbox.http.json"
local native = require "connectly.loader"
local query_args = require("http.util").query_args

local hour = 3600

---@class connectly.sandbox.report
---@field id string
---@field name string
---@field type string
---@field run { id: string, status: "processing"|"completed"|"failed", url: string?, created_at: number }

local business = {}

business.quality_signals = endpoint.new({
  operation = "quality_signals",
  perform = function(sandbox)
    local signals = {
      phoneNumber = sandbox.sender,
      wabaId = "100000000000001",
      messagesLimitTier = "WHATS_APP_MESSAGE_LIMIT_TIER_UNSPECIFIED",
      qualityScore = "WHATS_APP_QUALITY_SCORE_HIGH",
    }
    return answer.json({ entity = { signals = { { whatsappQualitySignals = signals } } } })
  end,
})

local most_reports = 1000

--- Adds a report run. The newest run comes first.
---@param store connectly.sandbox.store
---@param wish { type: string?, name: string?, status: string? }
---@return connectly.sandbox.report
function business.run_report(store, wish)
  local id, status = store:new_id(), wish.status or "completed"
  local report = {
    id = "rep_" .. id, name = wish.name or "Daily campaigns", type = wish.type or "campaign.daily.v1",
    run = {
      id = "run_" .. id, status = status, created_at = store:now(),
      url = status == "completed" and "https://cdn.connectly.ai/reports/" .. id .. ".csv" or nil,
    },
  }
  table.insert(store.reports, 1, report)
  store.reports[most_reports + 1] = nil
  return report
end

local function described(report)
  local run = report.run
  return {
    id = report.id, name = report.name, type = report.type,
    lastRun = {
      id = run.id, status = run.status,
      result = run.url and {
        url = run.url, expiresAt = native.datetime(run.created_at + hour), createdAt = native.datetime(run.created_at),
      } or json.null,
    },
  }
end

local function wanted_type(query)
  for name, value in query_args(query) do
    if name == "type" then
      return value
    end
  end
end

--- Lists the reports of the `type` in the query, or all reports.
business.reports = endpoint.new({
  operation = "list_reports",
  perform = function(sandbox, request)
    local wanted, data = wanted_type(request.query), json.array({})
    for _, report in ipairs(sandbox.store.reports) do
      if not wanted or report.type == wanted then
        data[#data + 1] = described(report)
      end
    end
    return answer.json({ data = data })
  end,
})

return business
