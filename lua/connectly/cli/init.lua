--- The command line: finds the command and passes it the arguments. Each command is a
--- module { summary, configure, run }, loaded on demand.

local operation = require "connectly.cli.operation"
local version = require "connectly.version"

local command_names = { "sandbox", "doctor", "webhook" }

local function module_of(name)
  return require("connectly.cli." .. name:gsub("-", "_"))
end

local function add_command(parser, name)
  local module = module_of(name)
  local command = parser:command(name, module.summary)
  module.configure(command)
end

local function is_module(name)
  for _, known in ipairs(command_names) do
    if known == name then
      return true
    end
  end
  return false
end

local function new_parser(argparse, first)
  local parser = argparse("connectly", "WhatsApp messages through the Connectly Business API.")
  parser:flag("--version", "Print the version and exit."):action(function()
    print("connectly " .. version)
    os.exit(0, true)
  end)
  parser:command_target("command")
  parser:require_command(true)
  for _, name in ipairs(command_names) do
    add_command(parser, name)
  end
  -- The API commands need the C module; sandbox, doctor and webhook work without it.
  if not is_module(first) then
    operation.add_commands(parser)
  end
  return parser
end

local cli = {}

---@param arguments string[]
---@return integer exit_code
function cli.main(arguments)
  local is_there, argparse = pcall(require, "argparse")
  if not is_there then
    io.stderr:write("connectly: the command line needs argparse: install it with: luarocks install argparse\n")
    return 1
  end
  local parsed = new_parser(argparse, arguments[1]):parse(arguments)
  local run = operation.find(parsed.command) or module_of(parsed.command).run
  return run(parsed)
end

return cli
