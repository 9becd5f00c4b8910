--- connectly doctor: checks whether this machine can send a message, and reports what is
--- missing. It works even if the library cannot be loaded. It prints no value that could
--- be a secret: for keys, ids and proxies it only says whether they are set.

local certificates = require "connectly.cli.doctor.certificates"
local connection = require "connectly.cli.doctor.connection"
local report = require "connectly.cli.doctor.report"
local version = require "connectly.version"

local base_url, environment, first_line, say, uses_tls =
  report.base_url, report.environment, report.first_line, report.say, report.uses_tls

local proxy_names = { "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY" }

---@class connectly.doctor
---@field is_fit boolean
---@field native table?  the C module, when it loads
---@field client table?  when connectly.new accepts the environment
---@field problems table<string, string>  problem of each option, by option name
---@field event table?  the event of the --connect request

-- ---- the library and its dependencies ----

local function check_lua(doctor)
  local jit = rawget(_G, "jit")
  say(doctor, "ok", "connectly", version)
  say(doctor, "ok", "Lua", jit and jit.version .. " (Lua 5.1)" or _VERSION)
end

local function load_native(doctor)
  local is_loaded, found = pcall(require, "connectly.loader")
  if not is_loaded then
    local problem = first_line(found)
    say(doctor, problem:find("was not found", 1, true) and "missing" or "wrong", "C module", problem)
    return
  end
  doctor.native = found
  local versions = found.versions()
  if versions.connectly == version then
    say(doctor, "ok", "C module", "built for " .. versions.lua)
  else
    say(doctor, "warning", "C module", ("of version %s beside Lua files of %s: install connectly again")
      :format(versions.connectly, version))
  end
end

local function check_libcurl(doctor)
  if not doctor.native then
    say(doctor, "warning", "libcurl", "not known, nor are TLS and certificates, until the C module loads")
    return
  end
  local versions = doctor.native.versions()
  local has_tls = versions.tls ~= ""
  say(doctor, "ok", "libcurl", versions.libcurl)
  say(doctor, has_tls and "ok" or "missing", "TLS", has_tls and versions.tls or "this libcurl was built without it")
  say(doctor, versions.http2 and "ok" or "warning", "HTTP/2",
    versions.http2 and "yes" or "no: this libcurl was built without it, HTTP/1.1 is used")
end

local function check_cjson(doctor)
  local is_loaded, cjson = pcall(require, "cjson")
  if is_loaded then
    say(doctor, "ok", "lua-cjson", tostring(cjson._VERSION))
  else
    say(doctor, "missing", "lua-cjson", "install it with: luarocks install lua-cjson")
  end
end

-- ---- the options, as connectly.new sees them ----

--- Keeps only the first problem of each option: later ones may follow from it.
local function problems_of(err)
  local problems = {}
  for _, problem in ipairs(err.problems or { { param = err.param or "client", message = err.message } }) do
    problems[problem.param] = problems[problem.param] or problem.message
  end
  return problems
end

local function make_client(doctor)
  if not pcall(require, "connectly.safe") then
    return
  end
  local client, err = connection.new_client(doctor, { ca_file = environment "CONNECTLY_CA_FILE" })
  doctor.client = client
  doctor.problems = err and problems_of(err) or {}
end

local function check_variable(doctor, name, option, variable)
  local problem = doctor.problems[option]
  if not environment(variable) then
    say(doctor, "missing", name, ("set %s, or give %s to connectly.new"):format(variable, option))
  elseif problem then
    say(doctor, "wrong", name, ("%s: %s"):format(variable, problem))
  else
    say(doctor, "ok", name, variable .. " is set")
  end
end

--- A URL with more than scheme, host, port and path may contain a password.
local function is_showable(url)
  return url:find("^https?://[%w.:_%-%[%]]+/?[%w/._~-]*$") ~= nil
end

local function check_base_url(doctor)
  local problem = doctor.problems.base_url
  local url = base_url()
  if problem then
    say(doctor, "wrong", "base URL", "CONNECTLY_BASE_URL: " .. problem)
  elseif url == report.default_base_url then
    say(doctor, "ok", "base URL", url)
  else
    say(doctor, "ok", "base URL", ("%s (CONNECTLY_BASE_URL)"):format(is_showable(url) and url or "another one"))
  end
end

local function check_proxy(doctor)
  local found = {}
  for _, name in ipairs(proxy_names) do
    found[#found + 1] = environment(name) and name
  end
  if #found == 0 then
    say(doctor, "ok", "proxy", "none set")
    return
  end
  local note = uses_tls() and "set; not shown, because it may hold a password" or "set; not used for http:// to this machine"
  say(doctor, "ok", "proxy", table.concat(found, ", ") .. " " .. note)
end

-- ---- optional parts ----

local function check_optional(doctor, name, module, otherwise)
  local is_loaded = pcall(require, module)
  say(doctor, is_loaded and "ok" or "warning", name, is_loaded and "found (optional)" or "not found (optional): " .. otherwise)
end

local function check_optional_parts(doctor)
  check_optional(doctor, "lua-http", "http.server", "`connectly sandbox` needs it: luarocks install http")
  check_optional(doctor, "argparse", "argparse", "the command line needs it: luarocks install argparse")
end

-- ---- the command ----

local function conclude(doctor, has_connected)
  print()
  if not doctor.is_fit then
    print("No message can be sent with this set-up: see the lines marked missing or wrong.")
  elseif has_connected then
    print("A message can be sent with this set-up.")
  else
    print("A message can be sent with this set-up. No connection was tried: `connectly doctor --connect` does.")
  end
end

local function run(arguments)
  local doctor = { is_fit = true, problems = {} }
  check_lua(doctor)
  load_native(doctor)
  check_libcurl(doctor)
  check_cjson(doctor)
  make_client(doctor)
  certificates.check(doctor)
  check_base_url(doctor)
  check_proxy(doctor)
  check_variable(doctor, "API key", "api_key", "CONNECTLY_API_KEY")
  check_variable(doctor, "business id", "business_id", "CONNECTLY_BUSINESS_ID")
  if doctor.problems.client then
    say(doctor, "wrong", "client", doctor.problems.client)
  end
  check_optional_parts(doctor)
  if arguments.connect then
    connection.try(doctor)
  end
  conclude(doctor, arguments.connect)
  return doctor.is_fit and 0 or 1
end

local function configure(command)
  command:flag("--connect", "Also make one request to the API, which sends no message.")
end

return {
  summary = "Check whether this machine is ready to send, and name what is missing.",
  configure = configure,
  run = run,
}
