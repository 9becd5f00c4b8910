--- The options of an operation's command, and its --help page.

local fields = require "connectly.cli.fields"
local result = require "connectly.cli.result"

local options = {}

--- Whether a required value is missing that only a JSON message can supply.
---@param command table
---@param arguments table as parsed
---@return boolean
function options.needs_input(command, arguments)
  if not fields.are_harmless(command.shape) then
    return true
  end
  for _, field in ipairs(fields.of(command.shape)) do
    if field.required and arguments["field_" .. field.name] == nil then
      return true
    end
  end
  return false
end

local from_input = "Reads the message as JSON from standard input, or from --file."

local function about_input(command)
  if not fields.are_harmless(command.shape) then
    return from_input .. "\nIt holds a customer's number or a text, so no field of it can be given as an option:"
      .. "\nother users of the machine can read a process's arguments."
  elseif not options.needs_input(command, {}) then
    return "Needs no input. A message is read only from --file (-: standard input)."
  end
  return from_input .. "\nIf options give all required fields, it reads only --file (-: standard input)."
    .. "\nAn option overrides the field that was read."
end

local about_environment = "The key and the business id come from CONNECTLY_API_KEY and CONNECTLY_BUSINESS_ID."

local function option_of(field)
  return "--" .. field.name:gsub("_", "-")
end

local function configure_fields(parser, command)
  for _, field in ipairs(fields.options(command.shape)) do
    local text = ("Field %s: %s%s."):format(field.name, fields.describe_type(field), field.required and "; required" or "")
    parser:option(option_of(field), text):target("field_" .. field.name)
  end
end

local function check_seconds(text)
  local seconds = tonumber(text)
  return seconds, not seconds and "--timeout: a number of seconds expected" or nil
end

local function check_chunk_size(text)
  local size = text:find("^%d+$") and tonumber(text)
  local is_fine = size and size >= 1 and size <= 1000
  return is_fine and size or nil, not is_fine and "--chunk-size: a whole number from 1 to 1000 expected" or nil
end

--- Adds the options and the --help page to a command.
---@param parser table of argparse
---@param command table
function options.configure(parser, command)
  parser:summary(command.summary)
  parser:description(("%s\n\n%s\n%s"):format(command.summary, about_input(command), about_environment))
  configure_fields(parser, command)
  parser:option("--file", "File with the message, as JSON.")
  parser:option("--key-file", "File with the key, instead of CONNECTLY_API_KEY.")
  parser:option("--base-url", "Default: CONNECTLY_BASE_URL, or https://api.connectly.ai.")
  parser:option("--ca-file", "Certificates to trust instead of the system's. Default: CONNECTLY_CA_FILE.")
  parser:option("--timeout", "Time limit of a call in seconds, including its retries. Default: 30."):convert(check_seconds)
  if command.reply == "campaigns" then
    parser:option("--chunk-size", "Entries in one request. Default: 100."):convert(check_chunk_size)
  end
  parser:flag("--dry-run", "Print the exact JSON without sending it. Needs no key.")
  parser:flag("--json", "Print an object: id, reply or result, with info; or error.")
  parser:epilog(fields.describe(command.shape) .. "\n\n" .. result.statuses(command.is_idempotent))
end

return options
