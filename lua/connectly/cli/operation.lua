--- connectly send-template, get-asset, ...: one command for each operation of the API,
--- generated from the tables of the C core. API: quick table of everything.

local native -- the C module; set when the commands are added

local operation = {}

--- Loads a module that needs the C module. It is loaded late because the doctor runs without it.
local function part(name)
  return require("connectly.cli." .. name)
end

-- ---- the commands ----

-- Calls that make more than one request; they take the message of the operation in `like`.
local composed = {
  {
    name = "ensure_webhook", like = "create_webhook", idempotent = true,
    summary = "Register a webhook, or update the one that its topic has.",
  },
}

local commands = {} -- a list, also indexed by the name typed on the command line

local function add(entry, name, summary, is_idempotent)
  local typed = name:gsub("_", "-")
  local command = {
    typed = typed, operation = name, encoded_as = entry.name, shape = entry.shape,
    reply = entry.reply, is_idempotent = is_idempotent, summary = summary,
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
      message[field.wire] = nil -- drop the same field under its wire name
      message[field.name] = value
    end
  end
  return message
end

--- Returns an environment variable; nil if it is empty, as in the library.
local function environment(name)
  local value = os.getenv(name)
  return value ~= "" and value or nil
end

-- A dry run needs no key and no business id: its output contains neither.
local NO_KEY = "dry-run"

--- Returns the key, or nil; and an error if the key file contains none.
local function read_key(arguments)
  if arguments.key_file then
    return part "input".key(arguments.key_file)
  end
  return environment "CONNECTLY_API_KEY"
end

--- Returns a client, nil and its key; or nil and an error.
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

-- ---- running a command ----

--- Returns the request that would be sent; or nil and an error.
local function foresee_one(client, command, message)
  local body, second = client:dry_run(command.encoded_as, message)
  return body and { method = second.method, path = second.path, body = body }, second
end

--- Returns the requests of a campaign, one for each chunk.
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

--- Returns the requests that would be sent.
local function foresee(client, command, message, given)
  if command.reply == "campaigns" then
    return foresee_campaigns(client, command, message, given)
  end
  local request, problem = foresee_one(client, command, message)
  return request and { request }, problem
end

--- Turns an error that was raised out of a call into a connectly.Error. Such an error, Ctrl-C for
--- example, does not say what was sent. A connectly.Error of send_campaigns does, and is returned as it is.
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
  local result = part "result" -- loaded before sending, together with the encoder it needs
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
    command = command.typed, reply = command.reply, json = arguments.json,
  })
end

-- ---- for connectly.cli ----

--- Without the C module the operations are unknown, so an unknown command may be one of them.
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

---Returns the function that runs a command, or nil if it is not an operation.
---@param typed string
---@return fun(arguments: table): integer?
function operation.find(typed)
  local command = commands[typed]
  return command and function(arguments)
    return run(command, arguments)
  end
end

return operation
