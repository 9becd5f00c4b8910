--- A certificate for this machine and the authority that signed it, for tests
--- of TLS. The authority's key is thrown away at once: a client that trusts ca.pem
--- trusts this one certificate and no other.

local altname = require "openssl.x509.altname"
local bignum = require "openssl.bignum"
local extension = require "openssl.x509.extension"
local names = require "openssl.x509.name"
local pkey = require "openssl.pkey"
local random_bytes = require("openssl.rand").bytes
local x509 = require "openssl.x509"

local day = 24 * 60 * 60
local lifetime = 365 * day
local files = { ca = "ca.pem", certificate = "server.pem", key = "server-key.pem" }

local function new_key()
  return pkey.new({ type = "EC", curve = "prime256v1" })
end

local function named(common_name)
  return names.new():add("O", "connectly sandbox"):add("CN", common_name)
end

--- Positive, and short enough for the 20 bytes a serial number may have.
local function new_serial()
  return bignum.fromBinary("\1" .. random_bytes(15))
end

local function new_certificate(subject, issuer, key)
  local certificate = x509.new()
  certificate:setVersion(3)
  certificate:setSerial(new_serial())
  certificate:setSubject(subject)
  certificate:setIssuer(issuer)
  certificate:setLifetime(os.time() - day, os.time() + lifetime)
  certificate:setPublicKey(key)
  return certificate
end

local function new_authority()
  local name, key = named("connectly sandbox test authority"), new_key()
  local certificate = new_certificate(name, name, key)
  certificate:setBasicConstraints({ CA = true, pathLen = 0 })
  certificate:setBasicConstraintsCritical(true)
  certificate:addExtension(extension.new("keyUsage", "critical,keyCertSign,cRLSign"))
  certificate:addExtension(extension.new("subjectKeyIdentifier", "hash", { subject = certificate }))
  certificate:sign(key)
  return { certificate = certificate, key = key, name = name }
end

local function this_machine()
  return altname.new():add("DNS", "localhost"):add("IP", "127.0.0.1"):add("IP", "::1")
end

local function new_leaf(authority)
  local key = new_key()
  local certificate = new_certificate(named("localhost"), authority.name, key)
  certificate:setSubjectAlt(this_machine())
  certificate:setBasicConstraints({ CA = false })
  certificate:setBasicConstraintsCritical(true)
  certificate:addExtension(extension.new("keyUsage", "critical,digitalSignature"))
  certificate:addExtension(extension.new("extendedKeyUsage", "serverAuth"))
  certificate:addExtension(extension.new("authorityKeyIdentifier", "keyid",
    { issuer = authority.certificate }))
  certificate:sign(authority.key)
  return { certificate = certificate, key = key }
end

local function read(path)
  local file = io.open(path, "r")
  local content = file and file:read("*a")
  return file and file:close() and content
end

local function write(path, content)
  local file = assert(io.open(path, "w"))
  assert(file:write(content))
  assert(file:close())
end

local function quoted(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

local function succeeds(command)
  local result = os.execute(command)
  return result == true or result == 0
end

--- Lua can make neither directories nor files that only their owner reads.
local function prepare(directory, key_path)
  local command = ("umask 077 && mkdir -p -- %s && : > %s && chmod 600 -- %s")
    :format(quoted(directory), quoted(key_path), quoted(key_path))
  return succeeds(command) and true or nil, "cannot write to " .. directory
end

local function paths_in(directory)
  local paths = {}
  for kind, name in pairs(files) do
    paths[kind] = directory .. "/" .. name
  end
  return paths
end

local function is_fresh(certificate)
  local _, expires = certificate:getLifetime()
  return expires > os.time() + day
end

--- What an earlier run left, unless something is missing or about to expire.
local function reuse(paths)
  local ca, certificate, key = read(paths.ca), read(paths.certificate), read(paths.key)
  if not (ca and certificate and key) then
    return nil
  end
  local ok, leaf = pcall(function()
    return { certificate = x509.new(certificate, "PEM"), key = pkey.new(key, "PEM") }
  end)
  return ok and is_fresh(leaf.certificate) and leaf or nil
end

local function make(directory, paths)
  local ok, reason = prepare(directory, paths.key)
  if not ok then
    return nil, reason
  end
  local authority = new_authority()
  local leaf = new_leaf(authority)
  write(paths.key, leaf.key:toPEM("private"))
  write(paths.certificate, tostring(leaf.certificate))
  write(paths.ca, tostring(authority.certificate))
  return leaf
end

local certificate = {}

--- The certificate kept in a directory, made when there is none. ca.pem there
--- is what clients must trust.
---@param directory string
---@return table|nil leaf  { certificate, key, ca_file }
---@return string|nil reason
function certificate.obtain(directory)
  local paths = paths_in(directory)
  local leaf, reason = reuse(paths)
  if not leaf then
    leaf, reason = make(directory, paths)
  end
  if not leaf then
    return nil, reason
  end
  leaf.ca_file = paths.ca
  return leaf
end

--- A new directory of our own, for certificates that are not kept.
---@return string directory
function certificate.temporary_directory()
  local name = os.tmpname()
  os.remove(name)
  assert(succeeds("umask 077 && mkdir -- " .. quoted(name)), "cannot make " .. name)
  return name
end

--- Removes what obtain wrote, and the directory when nothing else is in it.
---@param directory string
function certificate.remove(directory)
  for _, path in pairs(paths_in(directory)) do
    os.remove(path)
  end
  os.remove(directory)
end

return certificate
