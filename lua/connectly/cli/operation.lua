--- connectly send-template, get-asset, ...: a command for each operation of the API,
--- made from the tables of the C core. API: quick table of everything.

local native -- the C module, from when the commands are asked for

local operation = {}

--- What stands on the C module is loaded after it: the doctor works without.
local function part(name)
  return require("connectly.cli." .. name)
end

-- ---- which commands there are ----

-- What clients do in more than one request; the message is that of another one.
local composed = {
  {
    name = "ensure_webhook", like = "create_webhook", idempotent = true,
    summary = "Register a webhook, or change the one its topic has.",
  },
}

local commands = {} -- by what is typed

local function add(entry, name, summary, is_idempotent)
  local typed = name:gsub("_", "-")
  local command = {
    typed = typed, operation = name, encoded_as = entry.name, shape = entry.shape,
    gives_id = entry.reply == "id", is_idempotent = is_idempotent, summary = summary,
  }
  commands[#commands + 1], commands[typed] = command, command
end

local function collect()
  local entries = {}
  for _, entry in ipairs(native.operations()) do
    entries[entry.name] = entry
    local summary = entry.path and ("%s %s"):format(entry.method, entry.path) or "Any other request of the API."
    add(entry, entry.name, summary, entry.idempotent)
  end
  for _, one in ipairs(composed) do
    add(entries[one.like], one.name, one.summary, one.idempotent)
  end
end

-- ---- the message and the client ----

local function read_message(command, arguments)
  if not arguments.file and not part "options".needs_input(command, arguments) then
    return {}
  end
  return part "input".message(arguments.file, command.shape)
end

local function make_message(command, arguments)
  local message, problem = read_message(command, arguments)
  if not message then
    return nil, problem
  end
  for _, field in ipairs(part "fields".options(command.shape)) do
    local value = arguments["field_" .. field.name]
    if value ~= nil then
      message[field.wire] = nil -- the API's own spelling of the same
      message[field.name] = value
    end
  end
  return message
end

--- An environment variable; nil when it is empty, as the library sees it.
local function environment(name)
  local value = os.getenv(name)
  return value ~= "" and value or nil
end

-- A dry run goes without a key and a business: neither is in what it prints.
local NO_KEY = "dry-run"

--- The key that was given: a text, or nil; and an error when its file has none.
local function read_key(arguments)
  if arguments.key_file then
    return part "input".key(arguments.key_file)
  end
  return environment "CONNECTLY_API_KEY"
end

--- A client, nil, its key; or nil and the error.
local function new_client(arguments)
  local key, problem = read_key(arguments)
  if problem then
    return nil, problem
  end
  local client, second = require("connectly.safe").new {
    api_key = key or arguments.dry_run and NO_KEY or nil,
    business_id = arguments.dry_run and not environment "CONNECTLY_BUSINESS_ID" and NO_KEY or nil,
    base_url = arguments.base_url,
    ca_file = arguments.ca_file or environment "CONNECTLY_CA_FILE",
    timeout = arguments.timeout,
  }
  if not client then
    return nil, second
  end
  return client, nil, key
end

-- ---- doing it ----

--- A request that would go; or nil and the error.
local function foresee_one(client, command, message)
  local body, second = client:dry_run(command.encoded_as, message)
  return body and { method = second.method, path = second.path, body = body }, second
end

--- Those of a campaign, which may be more than one.
local function foresee_campaigns(client, command, message, given)
  local function encode(some)
    return client:dry_run(command.encoded_as, some)
  end
  local chunks, problem = require("connectly.client.campaign_chunks").prepare(message, given, encode)
  for index, chunk in ipairs(chunks or {}) do
    chunks[index] = { method = chunk.batch.method, path = chunk.batch.path, body = chunk.body }
  end
  return chunks, problem
end

--- The requests that would go.
local function foresee(client, command, message, given)
  if command.operation == "send_campaigns" then
    return foresee_campaigns(client, command, message, given)
  end
  local request, problem = foresee_one(client, command, message)
  return request and { request }, problem
end

--- What left a call by an error, Ctrl-C for one, says nothing of what had been sent; but
--- for campaigns, of which some requests had been.
local function left(problem)
  if require("connectly.errors").is_error(problem) then
    return problem
  end
  local text = tostring(problem)
  return require("connectly.errors").new {
    kind = "canceled", outcome = "unknown",
    message = text:find("interrupted!", 1, true) and "interrupted" or text:match("^[^\n]*"),
    hint = "it may have arrived: look before you run it again",
  }
end

local function call(client, command, message, given)
  local is_whole, value, second = pcall(client[command.operation], client, message, given)
  pcall(client.close, client, 0)
  if not is_whole then
    return nil, left(value)
  end
  return value, second
end

local function dry_run(client, command, message, given, options)
  local requests, problem = foresee(client, command, message, given)
  if not requests then
    return part "result".tell(nil, problem, options)
  end
  return part "result".tell_requests(requests, options)
end

local function perform(command, arguments, options)
  local message
  local result = part "result" -- before anything leaves, as is all that tells of it
  result.load()
  local given = arguments.chunk_size and { chunk_size = arguments.chunk_size } or nil
  local client, problem, key = new_client(arguments)
  if client then
    options.secret = key
    message, problem = make_message(command, arguments)
  end
  if not message then
    return result.tell(nil, problem, options)
  elseif arguments.dry_run then
    return dry_run(client, command, message, given, options)
  end
  local value, second = call(client, command, message, given)
  return result.tell(value, second, options)
end

local function run(command, arguments)
  if not pcall(require, "cjson") then
    io.stderr:write("connectly ", command.typed, ": no module cjson: install it with: luarocks install lua-cjson\n")
    return 1
  end
  require("connectly.json").keep_texts()
  return perform(command, arguments, {
    command = command.typed, operation = command.operation, gives_id = command.gives_id, json = arguments.json,
  })
end

-- ---- for connectly.cli ----

--- Without the C module the operations are not known: then an unknown command may be one.
local function explain_absence(parser)
  local complain = parser.error
  function parser.error(self, message)
    return complain(self, message .. "\nNote: the commands of the API are missing, since the C module cannot be loaded:"
      .. " `connectly doctor` says why.")
  end
end

---Adds the commands to the parser of the command line.
---@param parser table of argparse
function operation.add_commands(parser)
  local is_loaded, found = pcall(require, "connectly.loader")
  if not is_loaded then
    return explain_absence(parser)
  end
  native = found
  collect()
  for _, command in ipairs(commands) do
    part "options".configure(parser:command(command.typed), command)
  end
end

---What runs a command, if it is one of these.
---@param typed string
---@return fun(arguments: table): integer?
function operation.find(typed)
  local command = commands[typed]
  return command and function(arguments)
    return run(command, arguments)
  end
end

return operation
