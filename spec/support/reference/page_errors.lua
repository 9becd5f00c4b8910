-- Writes the reference page's section on errors.

local functions = require "spec.support.reference.page_functions"
local markdown = require "spec.support.reference.markdown"

local OUTCOMES = {
  not_sent = "the API has not accepted the message: it can be sent again",
  rejected = "the API refused the message and will refuse the same request again",
  unknown = "the request was sent and no conclusive reply came: the message may have arrived",
}

local errors_part = {}

local function write_fields(add, model)
  functions.write_fields(add, model.classes["connectly.Error"].fields, model)
end

local function write_outcomes(add, taxonomy)
  local rows = {}
  for index, outcome in ipairs(taxonomy.outcomes) do
    rows[index] = { "`" .. outcome .. "`", assert(OUTCOMES[outcome], outcome) }
  end
  markdown.table(add, { "outcome", "meaning" }, rows)
end

local function write_kinds(add, model)
  local rows = {}
  for index, kind in ipairs(model.kinds) do
    rows[index] = { "`" .. kind.name .. "`", kind.text, kind.hint }
  end
  markdown.table(add, { "kind", "what happened", "hint" }, rows)
end

local function write_codes(add, taxonomy)
  local rows = {}
  for index, code in ipairs(taxonomy.codes) do
    rows[index] = { "`" .. code.code .. "`", code.meaning, code.hint }
  end
  markdown.table(add, { "code", "meaning", "hint" }, rows)
end

--- Writes the section.
---@param add function
---@param model table
---@param taxonomy table native.taxonomy()
function errors_part.write(add, model, taxonomy)
  add "## Errors"
  add ""
  markdown.prose(add, model.classes["connectly.Error"].prose)
  write_fields(add, model)
  write_outcomes(add, taxonomy)
  write_kinds(add, model)
  add "The documented error codes of the API; other codes are passed on unchanged. API: error codes."
  add ""
  write_codes(add, taxonomy)
end

return errors_part
