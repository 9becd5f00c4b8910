--- fault_server.lua - a server on loopback that misbehaves as it is told, and
--- counts every request that reached it whole, so that a test can prove that no
--- message was delivered twice.
---
---   lua5.4 spec/support/fault_server.lua
---
--- prints one line of JSON when it is ready, with its ports:
---   control     the tests' own way in, see below
---   http        HTTP/1.1, and HTTP/2 when the client begins with it
---   https       the same over TLS; HTTP/2 when the client offers h2
---   https1      TLS, HTTP/1.1 only
---   wrong_host  a good certificate for another host
---   expired     a certificate that ended yesterday
---   unknown_ca  a certificate by an authority that is not in ca_file
---   tls11       TLS 1.1 and nothing newer
---   handshake_cut  closes in the middle of the TLS handshake
---   silent      accepts TCP and never says a word
---   endless_proxy  answers CONNECT with 407, and a reply that never ends
---   dropped     never completes a TCP connection: SYNs are dropped
---   refused     nothing listens there, and nothing will
---   relay_http, relay_https, relay_https1
---               the ports of these names through a relay that can be frozen
---   mixed, mixed1
---               https and https1 in turns, a connection each; mixed1 begins with https1
---   narrow_https, narrow_https1, narrow_http
---               the same, but the kernel takes little of a client that is not read
---   elsewhere   where redirects point to; counted, and it should be 0
--- and ca_file, the authority to trust, and http2, false when lua-http is not
--- there to decode headers. It ends on SIGTERM, on SIGINT and after 900 seconds.
---
--- What a request gets is said by the business id in its path:
---   POST /v1/businesses/reset-after-request/send/messages
--- All names are in fault/behaviours.lua. `random-<seed>` draws one for each
--- request, `quick-random-<seed>` leaves out those that keep a client waiting,
--- `mixed-random-<seed>` has successes and 429s more often than the rest, and
--- `calm-random-<seed>` has almost nothing else.
---
--- Control, plain HTTP/1.1:
---   GET /counts      connections, open (those that are served now), handshakes (TLS,
---                    completed), requests, elsewhere,
---                    bodies, targets (method and path), by_behaviour, by_protocol (http1, http2), and by_key: how
---                    often each callbackData arrived (header, or field of the JSON body);
---                    accepted: by_key without requests that were plainly refused (3xx, 4xx,
---                    REFUSED_STREAM), which a client may repeat: above 1 is a message
---                    sent twice; drawn: what random-<seed> came to;
---                    begun: by the number in its traceparent, how often a message's head
---                    came; touched: the same without those that were refused by status
---   GET /counts?bodies=no   the same without the bodies
---   GET /arrivals    when each request was complete, in monotonic seconds
---   GET /behaviours  all names, with stage, only (protocol) and waits
---   POST /reset      all counts back to 0, nothing armed
---   POST /arm        {"behaviour":"429","times":2}: the next requests get this, whatever
---                    their path says. Behaviours of a connection must be armed, for the
---                    next connections: close-before-reading, goaway-at-start, ...;
---                    faulty-connections-<seed> is one of them or none, at random, and
---                    wild-connections-<seed> also one of those with a number
---
---                    with "seconds" in place of or beside times: for so long
---   POST /resume     what stalls (stall-<n>, stall-at-<n>) reads on, and
---                    nothing stalls until the next reset
---   POST /freeze     the relays forward nothing more on connections that are open now
---   POST /away       {"seconds":2}: as when the server is restarted, its connections on
---                    http, https and https1 are reset and nothing listens there; without
---                    seconds until the next of these with 0
---
--- A request counts when its whole head and body have arrived (in HTTP/2: with
--- END_STREAM, and with as many bytes as content-length says), whatever is done to it
--- afterwards. What a behaviour leaves unread, as close-after-half-body does, does not
--- count, even if its bytes reached the machine.

local here = arg and arg[0] and arg[0]:match("^(.-)spec/support/fault_server%.lua$")
-- lua-http may be installed for another Lua only, but is plain enough for any.
local others = (package.path:gsub("5%.4", "5.3")) .. ";" .. (package.path:gsub("5%.4", "5.1"))
package.path = (here or "") .. "?.lua;" .. package.path .. ";" .. others

local behaviours = require "spec.support.fault.behaviours"
local cjson = require "cjson"
local control = require "spec.support.fault.control"
local cqueues = require "cqueues"
local endings = require "spec.support.fault.endings"
local http1 = require "spec.support.fault.http1"
local ledger = require "spec.support.fault.ledger"
local new_peer = require "spec.support.fault.peer".new
local outage = require "spec.support.fault.outage"
local relay = require "spec.support.fault.relay"
local signal = require "cqueues.signal"
local socket = require "cqueues.socket"
local sockets = require "spec.support.sockets"
local tls = require "spec.support.fault.tls"

local LIFETIME = 900
local HTTP2_THERE, http2 = pcall(require, "spec.support.fault.http2")

-- The ports that have no fault of their own.
local SERVES_WELL = { http = true, https = true, https1 = true }

local controller = cqueues.new()

-- Connections -----------------------------------------------------------------

local function armed_for_connection(server)
  local name = server.ledger:take_armed("connection")
  return name and behaviours.of_connection(name, server.ledger)
end

local function speak(peer, server, protocol, armed)
  if protocol == "h2" then
    http2.serve(peer, server, armed)
  elseif http1.serve(peer, server) == "h2" and HTTP2_THERE then
    http2.serve(peer, server, armed, true)
  end
end

--- Returns the protocol, nil for HTTP/1.1, or false when the handshake failed.
local function shake_hands(peer, server, context)
  if not context then
    return nil
  end
  local protocol = peer:start_tls(context)
  if protocol ~= false then
    server.ledger.handshakes = server.ledger.handshakes + 1
  end
  return protocol
end

local function serve_connection(peer, server, context)
  local armed = armed_for_connection(server)
  if armed and armed.stage == "accept" then
    return armed.run(peer)
  end
  local protocol = shake_hands(peer, server, context)
  if protocol == false then
    return
  elseif armed and armed.stage == "handshake" then
    return armed.run(peer)
  end
  speak(peer, server, protocol, armed)
end

local function serve(peer, server, context)
  local counts = server.ledger
  counts.connections, counts.open = counts.connections + 1, counts.open + 1
  local ok, problem = pcall(serve_connection, peer, server, context)
  counts.open = counts.open - 1
  if not ok then
    error(problem, 0)
  end
end

local function serve_elsewhere(peer, server)
  server.ledger.elsewhere = server.ledger.elsewhere + 1
  http1.serve(peer, server)
end

--- Takes the ClientHello, and begins a ServerHello that never ends.
local function cut_handshake(peer, server)
  server.ledger.connections = server.ledger.connections + 1
  peer:read(5)
  peer:write("\x16\x03\x03\x00\x7a\x02\x00\x00")
  peer:close()
end

--- A proxy that wants to know who asks, in a reply that never ends.
local function refuse_endlessly(peer)
  if http1.read_head(peer) then
    peer:write("HTTP/1.1 407 Who\r\ntransfer-encoding: chunked\r\n\r\n")
    repeat until not peer:write(("5\r\nabcde\r\n"):rep(5000))
  end
end

local function stay_silent(peer, server)
  server.ledger.connections = server.ledger.connections + 1
  peer:silence()
end

local function serve_control(peer, server)
  control.serve(peer, server)
end

-- Ports -------------------------------------------------------------------------

local function run(server, accepted, handler, context)
  local peer = new_peer(accepted, server.endings)
  local ok, problem = pcall(handler, peer, server, context)
  if not ok and not peer.gone then -- a reset pulls the socket from under its readers
    io.stderr:write("fault server: ", tostring(problem), "\n")
  end
  peer:release()
end

local function always()
  return true
end

local function accept_while(is_open, listener, take)
  while is_open() do
    local accepted = listener:accept { nodelay = true }
    if accepted then
      controller:wrap(take, accepted)
    elseif is_open() then
      cqueues.sleep(0.05) -- out of descriptors; some will be free again
      listener:clearerr()
    end
  end
end

local function open_listener(port)
  local listener = sockets.quiet(assert(socket.listen { host = "127.0.0.1", port = port or 0, reuseaddr = true }))
  assert(listener:listen())
  return listener
end

--- `take` is called with what was accepted, in a coroutine of its own.
local function listen_for(take)
  local listener = open_listener()
  controller:wrap(accept_while, always, listener, take)
  local _, _, port = listener:localname()
  return port, listener
end

local function listen(server, handler, context)
  return listen_for(function(accepted) run(server, accepted, handler, context) end)
end

--- A port that an outage closes for a while.
local function listen_at_times(server, handler, context)
  local port = assert(server.endings.held_port())
  local function take(accepted)
    run(server, accepted, function(peer)
      server.outage:watch(peer, function() handler(peer, server, context) end)
    end)
  end
  server.outage:add_port {
    open = function() return open_listener(port) end,
    accept = function(is_open, listener) accept_while(is_open, listener, take) end,
  }
  return port
end

local function listen_narrow(server, handler, context)
  local port, listener = listen(server, handler, context)
  server.endings.make_narrow(listener:pollfd())
  return port
end

local function listen_relay(server, port)
  return listen_for(function(accepted) server.relay:serve(accepted, port) end)
end

--- Leads to these ports in turns, a connection each, as a balancer does.
local function listen_balancer(server, ports)
  local turn = 0
  return listen_for(function(accepted)
    turn = turn % #ports + 1
    server.relay:serve(accepted, ports[turn])
  end)
end

--- A port in use as the near end of a connection: taken, yet without a listener. What
--- accepts the connection does not count it.
local function closed_port(server)
  local port = listen_for(function(accepted) server.holds = accepted end)
  server.held = socket.connect("127.0.0.1", port)
  assert(server.held:connect(5))
  return (select(3, server.held:localname()))
end

local function open_ports(server, contexts)
  local ports = server.ports
  ports.control = listen(server, serve_control)
  ports.elsewhere = listen(server, serve_elsewhere)
  ports.silent = listen(server, stay_silent)
  ports.endless_proxy = listen(server, refuse_endlessly)
  ports.handshake_cut = listen(server, cut_handshake)
  for name, context in pairs(contexts) do
    ports[name] = not SERVES_WELL[name] and listen(server, serve, context) or nil
  end
  for name in pairs(SERVES_WELL) do
    ports[name] = listen_at_times(server, serve, contexts[name])
    ports["narrow_" .. name] = listen_narrow(server, serve, contexts[name])
    ports["relay_" .. name] = listen_relay(server, ports[name])
  end
  ports.mixed = listen_balancer(server, { ports.https, ports.https1 })
  ports.mixed1 = listen_balancer(server, { ports.https1, ports.https })
  ports.dropped = server.endings.full_port()
  ports.refused = closed_port(server)
end

-- Start and end --------------------------------------------------------------------

local function make_directory()
  local name = os.tmpname()
  os.remove(name)
  assert(os.execute(("mkdir -m 700 '%s'"):format(name)))
  return name
end

local function write_file(name, content)
  local file = assert(io.open(name, "w"))
  file:write(content)
  file:close()
end

local function announce(server)
  local line = { ca_file = server.ca_file, http2 = HTTP2_THERE }
  for name, port in pairs(server.ports) do
    line[name] = port
  end
  io.stdout:write(cjson.encode(line), "\n")
  io.stdout:flush()
end

local function start(directory)
  local server = { ledger = ledger.new(), ports = {}, ca_file = directory .. "/ca.pem" }
  server.endings = endings.build(directory)
  server.outage, server.relay = outage.new(controller), relay.new()
  local contexts, authority = tls.contexts(HTTP2_THERE and { "h2", "http/1.1" } or { "http/1.1" })
  write_file(server.ca_file, authority)
  open_ports(server, contexts)
  announce(server)
  return server
end

local function wait_for_the_end()
  signal.block(signal.SIGTERM, signal.SIGINT)
  signal.ignore(signal.SIGPIPE)
  local signals = signal.listen(signal.SIGTERM, signal.SIGINT)
  local deadline = cqueues.monotime() + LIFETIME
  repeat
    local caught = signals:wait(deadline - cqueues.monotime())
  until caught or cqueues.monotime() >= deadline
end

local function main()
  local directory = make_directory()
  local ended = false
  controller:wrap(function()
    wait_for_the_end()
    ended = true
  end)
  local server = start(directory)
  repeat
    local ok, problem = controller:step()
    if not ok then
      io.stderr:write("fault server: ", tostring(problem), "\n")
    end
  until ended
  os.remove(server.ca_file)
  os.remove(directory)
  os.exit(0)
end

main()
