--- Runs a script in a separate process, for specs that test a whole process: one that may hang,
--- or one with few descriptors.
---
---   local said = child.run(server, [[ print(client_for("ok"):send_template(message(1))) ]])

local process = require "spec.support.process"

local child = {}

local running = os.getenv("CONNECTLY_SPEC_LUA") or "lua5.4"
local PATIENCE = 25 -- seconds, after which it is killed

local HEAD = [[
io.stdout:setvbuf("no")
local ports, ca_file = %s, %q
local clock = require("connectly.loader").clock
local safe = require "connectly.safe"
local function message(number)
  return {
    number = "+14155550123", template_name = "x", language = "en", callback_data = tostring(number),
    traceparent = ("00-%%032x-%%016x-01"):format(number, number),
  }
end
local function client_for(port, behaviour, changes)
  local options = { api_key = "k", business_id = behaviour, base_url = ports[port], ca_file = ca_file }
  for name, value in pairs(changes or {}) do options[name] = value end
  return assert(safe.new(options))
end
]]

local function urls(server)
  local list = {}
  for _, name in ipairs { "http", "https", "https1" } do
    list[#list + 1] = ("[%q] = %q"):format(name, server:url(name))
  end
  return "{ " .. table.concat(list, ", ") .. " }"
end

--- All that it says on both outputs; " killed" at the end when it hung.
---@param server table
---@param script string
---@param options { descriptors: integer? }?
---@return string
function child.run(server, script, options)
  local path = os.tmpname()
  local file = assert(io.open(path, "w"))
  file:write(HEAD:format(urls(server), server.ca_file), script)
  file:close()
  local limit = options and options.descriptors and ("ulimit -n %d; "):format(options.descriptors) or ""
  local said = process.capture(("%stimeout -s KILL %d %s %s 2>&1 || echo ' killed or failed'"):format(
    limit, PATIENCE, running, path))
  os.remove(path)
  return said
end

return child
