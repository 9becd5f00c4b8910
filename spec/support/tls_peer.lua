--- tls_peer.lua - an HTTP/1.1 server over TLS with a certificate that the test chooses. It opens a
--- tunnel for CONNECT and answers any other request with an id. For the business `closing` it
--- announces that it closes the connection, and closes it a moment later.
---
---   lua5.4 spec/support/tls_peer.lua CERTIFICATES KEY [TLS VERSION]
---
--- When it is ready, it prints its port. CERTIFICATES is a PEM file: the server's own
--- certificate, followed by those it sends along. With a TLS version (TLSv1_1) it speaks only
--- that. It prints a line for each CONNECT. It ends on SIGTERM and after 900 seconds.

local chain = require "openssl.x509.chain"
local cqueues = require "cqueues"
local openssl_context = require "openssl.ssl.context"
local pkey = require "openssl.pkey"
local signal = require "cqueues.signal"
local socket = require "cqueues.socket"
local sockets = require "spec.support.sockets"
local x509 = require "openssl.x509"

local LIFETIME, PATIENCE = 900, 60
local BEFORE_CLOSE = 0.2
local BEFORE_HANDING_ON = 0.005

local controller = cqueues.new()

local function read_file(path)
  local file = assert(io.open(path, "r"))
  local text = file:read("*a")
  file:close()
  return text
end

local function new_context(certificates, key, version)
  local context = openssl_context.new(version or "TLS", true)
  if version then
    context:setCipherList("DEFAULT@SECLEVEL=0") -- else OpenSSL 3 refuses the SHA-1 of old versions
  end
  local others = chain.new()
  local is_first = true
  for pem in read_file(certificates):gmatch("%-%-%-%-%-BEGIN.-%-%-%-%-%-END[^\n]*\n") do
    if is_first then
      context:setCertificate(x509.new(pem, "PEM"))
    else
      others:add(x509.new(pem, "PEM"))
    end
    is_first = false
  end
  context:setCertificateChain(others)
  context:setPrivateKey(pkey.new(read_file(key), "PEM"))
  return context
end

--- Hands on what comes until one side ends, together with what comes right behind it: so
--- that two records of the tunnel are one of the proxy.
local function pump(from, to)
  repeat
    local bytes = from:xread(-8192, PATIENCE)
    if bytes then
      cqueues.sleep(BEFORE_HANDING_ON)
      bytes = bytes .. (from:recv(-8192) or "")
    end
  until not bytes or not to:xwrite(bytes, "bn", PATIENCE)
  to:shutdown("w")
end

local function tunnel(client, host, port)
  local upstream = sockets.raw(socket.connect(host, tonumber(port)))
  print("CONNECT")
  client:xwrite("HTTP/1.1 200 Fine\r\n\r\n", "bn", PATIENCE)
  controller:wrap(pump, upstream, client)
  pump(client, upstream)
end

--- The request line and the length of the body; nil at the end.
local function read_head(client)
  local first = client:xread("*l", PATIENCE)
  local length, line = 0, first
  while line and line ~= "\r" and line ~= "" do
    length = tonumber(line:lower():match("^content%-length: *(%d+)")) or length
    line = client:xread("*l", PATIENCE)
  end
  return line and first, length
end

local function serve(client, context)
  if not client:starttls(context, PATIENCE) then
    return
  end
  for first, length in read_head, client do
    local host, port = first:match("^CONNECT ([^:]+):(%d+)")
    if host then
      return tunnel(client, host, port)
    end
    client:xread(length, PATIENCE)
    local is_last = first:find("/closing/", 1, true)
    client:xwrite("HTTP/1.1 200 OK\r\n" .. (is_last and "connection: close\r\n" or "")
      .. 'content-length: 10\r\n\r\n{"id":"a"}', "bn", PATIENCE)
    if is_last then
      return cqueues.sleep(BEFORE_CLOSE)
    end
  end
end

local function accept_forever(listener, context)
  while true do
    local client = listener:accept()
    controller:wrap(function()
      pcall(serve, sockets.raw(client), context)
      client:close()
    end)
  end
end

local function main()
  local listener = assert(socket.listen { host = "127.0.0.1", port = 0 })
  assert(listener:listen())
  local _, _, port = listener:localname()
  controller:wrap(accept_forever, listener, new_context(arg[1], arg[2], arg[3]))
  io.stdout:setvbuf("line")
  print(math.floor(port))
  signal.block(signal.SIGTERM, signal.SIGINT)
  signal.ignore(signal.SIGPIPE)
  local is_ended = false
  controller:wrap(function()
    signal.listen(signal.SIGTERM, signal.SIGINT):wait(LIFETIME)
    is_ended = true
  end)
  repeat
    controller:step()
  until is_ended
  os.exit(0)
end

main()
