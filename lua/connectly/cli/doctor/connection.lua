--- The test request of --connect.

local report = require "connectly.cli.doctor.report"

local environment, first_line, say, uses_tls = report.environment, report.first_line, report.say, report.uses_tls

local patience = 15 -- seconds for the test request


local connection = {}

--- Returns a client that makes one attempt and stores its event in `doctor.event`; or nil and an error.
---@param certificates { ca_file: string?, ca_path: string? }
function connection.new_client(doctor, certificates)
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

--- Lists the webhooks. This changes nothing and sends no message.
---@return table? err
local function ask(client)
  local reply, second = client:request { method = "GET", path = "/webhooks" }
  return reply == nil and second or nil
end

--- Returns a client that trusts only the directory, if the library reads the bundle only when the
--- directory lacks the issuer.
local function client_of_directory(doctor)
  local paths = doctor.native.ca_paths()
  if uses_tls() and paths.bundle_waits and not environment "CONNECTLY_CA_FILE" then
    return (connection.new_client(doctor, { ca_path = paths.directory }))
  end
end

--- Whether only a changed setting can help: a certificate, or a proxy that refuses.
local function is_lasting(err)
  return err ~= nil and err.kind == "network" and not err.retryable
end

--- Returns the error of the request, if any, and whether the client needed the bundle to trust the API.
---@return table? err
---@return boolean needs_bundle
local function ask_with_directory_first(doctor)
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

--- Sends the test request and reports the outcome.
function connection.try(doctor)
  if not doctor.client then
    say(doctor, "warning", "connection", "not tried: no client could be made with these settings")
    return
  end
  local err, needs_bundle = ask_with_directory_first(doctor)
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

return connection
