--- Reports which certificates the library trusts.

local report = require "connectly.cli.doctor.report"

local environment, say, uses_tls = report.environment, report.say, report.uses_tls

local certificates = {}

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

--- Returns the first unreadable directory of a ":"-separated list.
local function unreadable_of(directories)
  for directory in directories:gmatch("[^:]+") do
    if not is_readable(directory) then
      return directory
    end
  end
end

--- Returns the first configured path that cannot be read, with the setting that names it.
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

--- Prints which certificates are trusted.
function certificates.check(doctor)
  local own = environment "CONNECTLY_CA_FILE"
  if own then
    check_own_certificates(doctor, own)
  elseif doctor.native then
    check_shared_certificates(doctor)
  end
end

return certificates
