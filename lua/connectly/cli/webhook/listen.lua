--- connectly webhook listen: a server that receives webhooks and prints them.

local serving = require "connectly.cli.serving"

local USUAL_PORT = 8078
-- Seconds that a connection may stay idle between requests.
local IDLE = 120

local function configure(command)
  command:epilog("Prints a line of JSON for each event whose signature is good. Numbers, names, texts and "
    .. "callback data are hidden unless --show is given.")
  command:option("--host", "Address to listen on.", "127.0.0.1")
  command:option("--port", "Port to listen on; 0: any free one.", tostring(USUAL_PORT)):convert(serving.check_port)
  command:flag("--show", "Print numbers, names, texts and callback data as well.")
end

local function note(text, ...)
  io.stderr:write(text:format(...), "\n")
end

local function answer(status, headers)
  return { status = status, headers = headers or {}, body = "" }
end

--- Writes a line; returns false if standard output cannot be written.
local function print_line(text)
  return io.stdout:write(text, "\n") and io.stdout:flush() and true or false
end

local function take(self, request)
  local signature = request.headers:get(require("connectly.webhook").SIGNATURE_HEADER)
  if request.method ~= "POST" then
    return answer(405, { allow = "POST" })
  elseif not request.body then
    return answer(413)
  elseif not self.webhook:verify(request.body, signature) then
    return answer(401)
  end
  local event = self.webhook:parse(request.body)
  if not print_line(require("connectly.cli.webhook.line").of(event, self.shows_all)) then
    self.is_closing, self.problem = true, "cannot write the line of an event"
    return answer(500)
  end
  return answer(200)
end

local REASON = {
  [401] = "its signature is missing or of another secret", [405] = "a webhook is a POST", [413] = "its body is too big",
}

--- lua-http raises on some malformed headers, hence the pcall.
local function serve(self, stream)
  local exchange = require "connectly.sandbox.http.exchange"
  local is_fine, request, problem = require("http.util").yieldable_pcall(exchange.read, stream)
  if not is_fine or not request then
    return exchange.refuse(stream, is_fine and problem or "malformed", answer(400))
  end
  local given = take(self, request)
  if REASON[given.status] then
    note("%d: %s", given.status, REASON[given.status])
  end
  exchange.write(stream, request, given)
end

local function listen(self, arguments)
  local server, problem = require("http.server").listen {
    host = arguments.host, port = arguments.port, tls = false,
    onstream = function(_, stream) serve(self, stream) end,
    onerror = function() end, -- connection errors; the peer sees them too
  }
  if not server then
    return nil, problem
  end
  local is_bound, refusal = server:listen()
  server.intra_stream_timeout = IDLE
  return is_bound and server, refusal
end

local function run(arguments, secret)
  local missing = serving.missing_module { "cqueues", "http.server", "cjson" }
  if missing then
    return nil, ("no module %s: install it with: luarocks install http lua-cjson"):format(missing)
  end
  local self = { webhook = require("connectly.webhook").new { secret = secret }, shows_all = arguments.show }
  local server, problem = listen(self, arguments)
  if not server then
    return nil, "cannot listen: " .. tostring(problem)
  end
  serving.close_on_signals(server.cq, function() self.is_closing = true end)
  local _, host, port = server:localname()
  note("listening on http://%s:%d", host:find(":", 1, true) and "[" .. host .. "]" or host, port)
  while not self.is_closing do
    if not server:step() then
      note("a request failed") -- the reason is not printed: it may quote the request
    end
  end
  server:close()
  return not self.problem and 0 or nil, self.problem
end

return { summary = "Receive webhooks and print them.", configure = configure, run = run }
