--- The TLS context of the sandbox: TLS 1.2 or newer, HTTP/2 if both sides offer it.

local http_tls = require "http.tls"
local ssl_context = require "openssl.ssl.context"

local function offers(protocols, wanted)
  for _, protocol in ipairs(protocols) do
    if protocol == wanted then
      return wanted
    end
  end
end

local function select_protocol(_, protocols, http_version)
  return http_version == nil and offers(protocols, "h2") or offers(protocols, "http/1.1")
end

---@param leaf table  { certificate, key }
---@param http_version number|nil  1.1: no HTTP/2
---@return table context  of luaossl
return function(leaf, http_version)
  local context = http_tls.new_server_context()
  context:setOptions(ssl_context.OP_NO_TLSv1 + ssl_context.OP_NO_TLSv1_1)
  context:setAlpnSelect(select_protocol, http_version)
  context:setPrivateKey(leaf.key)
  context:setCertificate(leaf.certificate)
  return context
end
