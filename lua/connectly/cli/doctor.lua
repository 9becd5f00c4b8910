--- connectly doctor: what a message needs on this machine, and what of it is
--- not there. Works where the library itself cannot be loaded, and shows no
--- value that could be a secret: keys, ids and proxies are only said to be set.

local version = require "connectly.version"

local default_base_url = "https://api.connectly.ai"
local patience = 15 -- seconds for the one request of --connect

local proxy_names = { "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY" }

-- A line with one of these means that no message can be sent.
local is_fatal = { missing = true, wrong = true }

---@class connectly.doctor
---@field is_fit boolean
---@field native table?  the C module, when it loads
---@field client table?  when connectly.new accepts what the environment holds
---@field problems table<string, string>  what it says of an option, by option
---@field event table?  how the request of --connect ended

local function say(doctor, status, name, text)
  print(("%-8s %-13s %s"):format(status, name, text))
  if is_fatal[status] then
    doctor.is_fit = false
  end
end

--- An environment variable; nil when it is empty, as the library sees it.
local function environment(name)
  local value = os.getenv(name)
  return value ~= "" and value or nil
end

local function first_line(problem)
  return (tostring(problem):match("^[^\n]*"):gsub("^connectly: ", ""))
end

-- ---- the library and what it stands on ----

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

--- The first problem of each option: a later one may only follow from it.
local function problems_of(err)
  local problems = {}
  for _, problem in ipairs(err.problems or { { param = err.param or "client", message = err.message } }) do
    problems[problem.param] = problems[problem.param] or problem.message
  end
  return problems
end

--- A client that makes one attempt, and notes how it ended; nil and an error.
---@param certificates { ca_file: string?, ca_path: string? }
local function new_client(doctor, certificates)
  return require("connectly.safe").new {
    ca_file = certificates.ca_file,
    ca_path = certificates.ca_path,
    max_attempts = 1,
    timeout = patience,
    on_event = function(event)
      doctor.event = event
    end,
  }
end

local function make_client(doctor)
  if not pcall(require, "connectly.safe") then
    return
  end
  local client, err = new_client(doctor, { ca_file = environment "CONNECTLY_CA_FILE" })
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

local function base_url()
  return environment "CONNECTLY_BASE_URL" or default_base_url
end

local function uses_tls()
  return not base_url():find("^http://")
end

--- What is more than scheme, host, port and path may be a password.
local function is_showable(url)
  return url:find("^https?://[%w.:_%-%[%]]+/?[%w/._~-]*$") ~= nil
end

local function check_base_url(doctor)
  local problem = doctor.problems.base_url
  local url = base_url()
  if problem then
    say(doctor, "wrong", "base URL", "CONNECTLY_BASE_URL: " .. problem)
  elseif url == default_base_url then
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
  local note = uses_tls() and "set; not shown, for it may hold a password" or "set; not used for http:// to this machine"
  say(doctor, "ok", "proxy", table.concat(found, ", ") .. " " .. note)
end

-- ---- whose certificates are believed ----

local function is_readable(path)
  local file = io.open(path, "r")
  return file ~= nil and file:close() and true
end

local function check_own_certificates(doctor, path)
  if is_readable(path) then
    say(doctor, "ok", "certificates", path .. " (CONNECTLY_CA_FILE; in your own programs, give it as ca_file)")
  else
    say(doctor, "wrong", "certificates", "CONNECTLY_CA_FILE: cannot be read: " .. path)
  end
end

local function described(path, source)
  return ("%s (%s)"):format(path, source == "system" and "the system's" or source)
end

--- The first of several directories, with ":" between them, that cannot be read.
local function unreadable_of(directories)
  for directory in directories:gmatch("[^:]+") do
    if not is_readable(directory) then
      return directory
    end
  end
end

--- One that is named and cannot be read, with what names it.
local function unreadable_certificates(paths)
  local directory = unreadable_of(paths.directory)
  if directory then
    return described(directory, paths.directory_source)
  elseif paths.bundle ~= "" and not is_readable(paths.bundle) then
    return described(paths.bundle, paths.bundle_source)
  end
end

local function describe_certificates(paths)
  local directory = described(paths.directory, paths.directory_source)
  local bundle = described(paths.bundle, paths.bundle_source)
  if paths.directory == "" then
    return bundle
  elseif paths.bundle == "" then
    return directory
  elseif paths.bundle_waits then
    return ("%s, a directory by hash, which is quicker; and %s when the issuer is not in it"):format(directory, bundle)
  end
  return bundle .. " and " .. directory
end

local function check_shared_certificates(doctor)
  local paths = doctor.native.ca_paths()
  local unreadable = unreadable_certificates(paths)
  if unreadable then
    say(doctor, uses_tls() and "wrong" or "warning", "certificates", "cannot be read: " .. unreadable)
  elseif paths.directory == "" and paths.bundle == "" then
    say(doctor, "warning", "certificates", "no file or directory found: TLS uses what libcurl has built in, if anything")
  else
    say(doctor, "ok", "certificates", describe_certificates(paths))
  end
end

local function check_certificates(doctor)
  local own = environment "CONNECTLY_CA_FILE"
  if own then
    check_own_certificates(doctor, own)
  elseif doctor.native then
    check_shared_certificates(doctor)
  end
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

-- ---- --connect ----

local function describe_connection(doctor)
  local http_version = doctor.event and doctor.event.http_version or ""
  local spoken = http_version ~= "" and "HTTP/" .. http_version or "HTTP"
  return ("reached, %s, %s"):format(spoken, uses_tls() and "TLS and certificate fine" or "without TLS")
end

local function judge_key(doctor, err)
  if not err then
    say(doctor, "ok", "access", "the API accepted the key")
  elseif err.kind == "auth" then
    say(doctor, "wrong", "access",
      ("the API refused the key (status %d): check it and the business id in the Connectly dashboard"):format(err.status))
  elseif err.kind == "protocol" then
    say(doctor, "wrong", "access", ("status %d, but no answer of the API: check the base URL and any proxy"):format(err.status))
  elseif err.kind == "rejected" then
    say(doctor, "warning", "access",
      ("status %d says nothing of the key: is the business id right?"):format(err.status))
  else
    say(doctor, "warning", "access",
      ("status %d says nothing of the key: the API is in trouble, try again later"):format(err.status))
  end
end

--- Asks for the list of webhooks, which changes nothing and sends no message.
---@return table? err
local function ask(client)
  local reply, second = client:request { method = "GET", path = "/webhooks" }
  return reply == nil and second or nil
end

--- A client that trusts the directory alone, when the bundle is for what is not in it.
local function client_of_directory(doctor)
  local paths = doctor.native.ca_paths()
  if uses_tls() and paths.bundle_waits and not environment "CONNECTLY_CA_FILE" then
    return (new_client(doctor, { ca_path = paths.directory }))
  end
end

--- Nothing but another setting can help: a certificate, or a proxy that refuses.
local function is_lasting(err)
  return err ~= nil and err.kind == "network" and not err.retryable
end

--- The API's answer, and whether it takes the bundle to get one.
---@return table? err
---@return boolean needs_bundle
local function try(doctor)
  local with_directory = client_of_directory(doctor)
  local err = with_directory and ask(with_directory)
  if with_directory and not is_lasting(err) then
    return err, false
  end
  return ask(doctor.client), with_directory ~= nil
end

local function say_unreached(doctor, err)
  local advice = is_lasting(err) and err.hint and err.hint:match("; (.*)$")
  say(doctor, "wrong", "connection", first_line(err.message) .. (advice and "; " .. advice or ""))
end

local function say_bundle_needed(doctor)
  local paths = doctor.native.ca_paths()
  say(doctor, "warning", "issuer", ("not in %s, but in %s: a client's first connection takes two handshakes"):format(
    paths.directory, paths.bundle))
end

local function connect(doctor)
  if not doctor.client then
    say(doctor, "warning", "connection", "not tried: no client could be made with these settings")
    return
  end
  local err, needs_bundle = try(doctor)
  if err and not err.status then
    say_unreached(doctor, err)
    return
  end
  say(doctor, "ok", "connection", describe_connection(doctor))
  if needs_bundle then
    say_bundle_needed(doctor)
  end
  judge_key(doctor, err)
end

-- ---- all of it ----

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
  check_certificates(doctor)
  check_base_url(doctor)
  check_proxy(doctor)
  check_variable(doctor, "API key", "api_key", "CONNECTLY_API_KEY")
  check_variable(doctor, "business id", "business_id", "CONNECTLY_BUSINESS_ID")
  if doctor.problems.client then
    say(doctor, "wrong", "client", doctor.problems.client)
  end
  check_optional_parts(doctor)
  if arguments.connect then
    connect(doctor)
  end
  conclude(doctor, arguments.connect)
  return doctor.is_fit and 0 or 1
end

local function configure(command)
  command:flag("--connect", "Ask the API as well, with one harmless request that sends no message.")
end

return {
  summary = "Say whether this machine is ready to send, and what is missing.",
  configure = configure,
  run = run,
}
