--- tls.lua - a short-lived certificate authority, and server contexts with good and bad
--- certificates. The keys need no protection.

local altname = require "openssl.x509.altname"
local bignum = require "openssl.bignum"
local context = require "openssl.ssl.context"
local pkey = require "openssl.pkey"
local x509 = require "openssl.x509"
local x509_extension = require "openssl.x509.extension"
local x509_name = require "openssl.x509.name"

local HOUR = 3600

local tls = {}

local serial = 0

local function blank_certificate(common_name, key, from, till)
  local certificate = x509.new()
  serial = serial + 1
  certificate:setVersion(3)
  certificate:setSerial(bignum.new(os.time() * 100 + serial))
  certificate:setSubject(x509_name.new():add("CN", common_name))
  certificate:setLifetime(from, till)
  certificate:setPublicKey(key)
  return certificate
end

local function new_key()
  return pkey.new { type = "EC", curve = "prime256v1" }
end

--- { certificate, key } of an authority that signs itself.
function tls.authority(name)
  local key = new_key()
  local certificate = blank_certificate(name, key, os.time() - HOUR, os.time() + HOUR)
  certificate:setIssuer(certificate:getSubject())
  certificate:setBasicConstraints { CA = true }
  certificate:setBasicConstraintsCritical(true)
  certificate:addExtension(x509_extension.new("keyUsage", "critical,keyCertSign,cRLSign"))
  certificate:sign(key)
  return { certificate = certificate, key = key }
end

local function alternative_names(names)
  local alternatives = altname.new()
  for _, name in ipairs(names) do
    alternatives:add(name:find("^[%d.:]+$") and "IP" or "DNS", name)
  end
  return alternatives
end

local OWN_NAMES = { "localhost", "127.0.0.1", "::1" }

--- { certificate, key } of a server; `options` may say names, from and till.
function tls.server(authority, options)
  local names, key = options.names or OWN_NAMES, new_key()
  local from, till = options.from or os.time() - HOUR, options.till or os.time() + HOUR
  local certificate = blank_certificate(names[1], key, from, till)
  certificate:setIssuer(authority.certificate:getSubject())
  certificate:setSubjectAlt(alternative_names(names))
  certificate:sign(authority.key)
  return { certificate = certificate, key = key }
end

--- The first of ours that the client offers too.
local function select_protocol(ours)
  return function(_, offered)
    for _, protocol in ipairs(ours) do
      for _, other in ipairs(offered) do
        if protocol == other then
          return protocol
        end
      end
    end
  end
end

--- A context for accepted sockets; `protocols` in the order of our liking.
function tls.context(pair, protocols, version)
  local made = context.new(version or "TLS", true)
  if version == "TLSv1_1" then
    made:setCipherList("DEFAULT@SECLEVEL=0") -- else OpenSSL 3 refuses its SHA-1
  end
  made:setCertificate(pair.certificate)
  made:setPrivateKey(pair.key)
  made:setAlpnSelect(select_protocol(protocols))
  return made
end

--- All the contexts by the name of their port, and the PEM of the trusted authority.
function tls.contexts(protocols)
  local trusted = tls.authority("connectly test authority")
  local good = tls.server(trusted, {})
  local unknown = tls.server(tls.authority("an authority nobody knows"), {})
  local expired = tls.server(trusted, { from = os.time() - 48 * HOUR, till = os.time() - 24 * HOUR })
  local elsewhere = tls.server(trusted, { names = { "elsewhere.example" } })
  return {
    https = tls.context(good, protocols),
    https1 = tls.context(good, { "http/1.1" }),
    wrong_host = tls.context(elsewhere, protocols),
    expired = tls.context(expired, protocols),
    unknown_ca = tls.context(unknown, protocols),
    tls11 = tls.context(good, { "http/1.1" }, "TLSv1_1"),
  }, trusted.certificate:toPEM()
end

return tls
