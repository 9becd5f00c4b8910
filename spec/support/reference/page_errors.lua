-- The part of the reference page that is about errors.

local functions = require "spec.support.reference.page_functions"
local markdown = require "spec.support.reference.markdown"

local OUTCOMES = {
  not_sent = "never accepted: it may be sent again",
  rejected = "the API said no: the same request will be refused again",
  unknown = "bytes left and no conclusive answer came: it may have arrived",
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

--- Writes it.
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
  add "The API's codes, as far as they are documented; others pass through. API: error codes."
  add ""
  write_codes(add, taxonomy)
end

return errors_part
