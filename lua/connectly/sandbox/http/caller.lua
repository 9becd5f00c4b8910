--- Restricts the control routes to programs on this machine. Web pages in a local browser must
--- not use them, although their requests also come from this machine. For such a request the
--- browser sends the page's origin in Origin; with DNS rebinding, it sends the page's host name
--- in Host.

local native = require "connectly.loader"

local caller = {}

--- Whether the rest of an authority after the host is empty or a port.
local function is_port(text)
  return text == "" or text:find("^:%d+$") ~= nil
end

--- "[::1]:80" -> "[::1]", ":80"; nil if it is neither a host nor a host and a port.
local function split(authority)
  local host, port = authority:match("^(%[[%x:.]+%])(.*)$")
  if not host then
    host, port = authority:match("^([^:]*)(.*)$")
  end
  if is_port(port) then
    return host:lower(), port
  end
end

--- Whether a host is a name of this machine or the host that the sandbox listens on.
local function is_own_host(sandbox, host)
  return native.is_loopback(host) or host == sandbox.host:lower()
end

local function is_own_authority(sandbox, authority)
  local host = split(authority)
  return host ~= nil and is_own_host(sandbox, host)
end

--- Browsers omit the default port of the scheme.
local function is_own_origin(sandbox, origin)
  local scheme = sandbox.tls and "https" or "http"
  local host, port = split(origin:match("^" .. scheme .. "://(.+)$") or ":")
  if not host or not is_own_host(sandbox, host) then
    return false
  end
  return (port == "" and (sandbox.tls and 443 or 80) or tonumber(port:sub(2))) == sandbox:port()
end

local function is_local(peer)
  return peer:find("^127%.") or peer:find("^::ffff:127%.") or peer == "::1" or peer == ""
end

--- Returns all values of the named headers. lua-http stores Host as :authority.
local function values_of(headers, ...)
  local found = {}
  for _, name in ipairs({ ... }) do
    for _, value in ipairs(headers:get_as_sequence(name)) do
      found[#found + 1] = value
    end
  end
  return found
end

local function is_all(list, is_fine, sandbox)
  for _, value in ipairs(list) do
    if not is_fine(sandbox, value) then
      return false
    end
  end
  return true
end

--- Returns why a request is refused, or nil.
---@param sandbox connectly.sandbox
---@param request connectly.sandbox.request
---@return string?
function caller.fault(sandbox, request)
  if not is_local(request.peer) then
    return "only from the sandbox's own machine"
  end
  local hosts = values_of(request.headers, ":authority", "host")
  if #hosts == 0 or not is_all(hosts, is_own_authority, sandbox) then
    return "Host: 127.0.0.1, [::1] or localhost expected: under another name a web page could reach the sandbox"
  elseif not is_all(values_of(request.headers, "origin"), is_own_origin, sandbox) then
    return "Origin: a web page of another origin may not use the sandbox's own routes"
  end
end

return caller
