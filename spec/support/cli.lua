--- Runs the command line as a process, with the Lua under test.
---
---   local output, code = cli.run("webhook verify --signature x", { input = body, variables = { NAME = "value" } })
---   local server = cli.start("webhook listen --port 0", { ready = "^listening on (%S+)$", variables = {} })

local process = require "spec.support.process"

local lua = os.getenv("CONNECTLY_SPEC_LUA") or "lua5.4"
local program = "lua/connectly/cli/main.lua"

-- What the machine's own environment says must not decide a test.
local cleared = {
  "CONNECTLY_API_KEY", "CONNECTLY_BUSINESS_ID", "CONNECTLY_BASE_URL", "CONNECTLY_CA_FILE", "CONNECTLY_WEBHOOK_SECRET",
  "SSL_CERT_FILE", "SSL_CERT_DIR", "CURL_CA_BUNDLE",
  "https_proxy", "HTTPS_PROXY", "http_proxy", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY",
}

local cli = {}

local function command_line(arguments, variables, first)
  local words = { "env" }
  for _, variable in ipairs(cleared) do
    words[#words + 1] = "-u " .. variable
  end
  for variable, value in pairs(variables or {}) do
    words[#words + 1] = process.quote(variable .. "=" .. value)
  end
  words[#words + 1] = ("timeout 60 %s -e %s %s %s"):format(process.quote(lua), process.quote(first or ""), program, arguments)
  return table.concat(words, " ")
end

--- Writes a text to a temporary file; the caller removes it.
---@param text string
---@return string path
function cli.file(text)
  local path = os.tmpname()
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
  return path
end

--- Runs `connectly ARGUMENTS`: all it wrote, its exit code. `first` is Lua that runs
--- before it.
---@param arguments string
---@param options { variables: table?, input: string?, first: string? }?
---@return string output
---@return integer code
function cli.run(arguments, options)
  options = options or {}
  local input = options.input and cli.file(options.input)
  local pipe = io.popen(("%s 2>&1 <%s; echo exit=$?"):format(
    command_line(arguments, options.variables, options.first), input or "/dev/null"))
  local output, code = pipe:read("*a"):match("^(.*)exit=(%d+)\n$")
  pipe:close()
  if input then
    os.remove(input)
  end
  return output, tonumber(code)
end

--- Starts `connectly ARGUMENTS`, which must say that it is ready. `shell` is what runs
--- it, at %s.
---@param arguments string
---@param options { variables: table?, ready: string, shell: string? }
---@return table process
function cli.start(arguments, options)
  return process.start {
    command = { "sh", "-c", (options.shell or "exec %s 2>&1"):format(command_line(arguments, options.variables)) },
    ready = options.ready,
  }
end

return cli
