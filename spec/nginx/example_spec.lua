-- The nginx example, run as its head says: Debian's nginx (or OpenResty's), with the
-- library found through LUA_PATH, against a sandbox.

local cqueues = require "cqueues"
local ports = require "spec.support.ports"
local process = require "spec.support.process"
local sandboxes = require "spec.support.sandbox"
local socket = require "cqueues.socket"

local ATTEMPTS, PATIENCE = 5, 10
local TREE = io.popen("pwd"):read("*l")

local port

local function get(path, method, body)
  local connection = assert(socket.connect("127.0.0.1", port))
  connection:onerror(function(_, _, code) return code end)
  connection:settimeout(PATIENCE)
  connection:setmode("b", "bf")
  if not connection:connect() then
    return nil
  end
  connection:write(("%s %s HTTP/1.0\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s"):format(
    method or "GET", path, #(body or ""), body or ""))
  connection:flush()
  local reply = connection:read("*a")
  connection:close()
  return tonumber((reply or ""):match("^HTTP/1.%d (%d+)")), (reply or ""):match("\r\n\r\n(.*)$")
end

--- The example's configuration, in a folder and on a port that are nobody else's.
local function write_config(folder)
  local file = assert(io.open("examples/nginx/nginx.conf"))
  local text = file:read("*a")
  file:close()
  local places, listens
  text, places = text:gsub("/tmp/connectly%-nginx", folder)
  text, listens = text:gsub("listen 127%.0%.0%.1:8080;", ("listen 127.0.0.1:%d;"):format(port))
  assert(places > 1 and listens == 1)
  file = assert(io.open(folder .. "/nginx.conf", "w"))
  assert(file:write(text))
  file:close()
end

describe("the nginx example", function()
  local sandbox, started, folder

  local function log()
    local file = io.open(folder .. "/log")
    return file and file:read("*a") or ""
  end

  setup(function()
    sandbox = sandboxes.start()
    folder = process.capture("mktemp -d"):gsub("%s+$", "")
    local variables = {
      "LUA_PATH=" .. TREE .. "/lua/?.lua;" .. TREE .. "/lua/?/init.lua;;",
      "LUA_CPATH=" .. TREE .. "/" .. (os.getenv("BUILD") or "build") .. "/5.1/?.so;;",
      "CONNECTLY_API_KEY=" .. sandbox.api_key, "CONNECTLY_BUSINESS_ID=" .. sandbox.business_id,
      "CONNECTLY_BASE_URL=" .. sandbox.base_url, "CONNECTLY_WEBHOOK_SECRET=secret",
    }
    for index, variable in ipairs(variables) do
      variables[index] = process.quote(variable)
    end
    local directives = ("user %s; env LUA_PATH; env LUA_CPATH;"):format(io.popen("id -un"):read("*l"))
    local command = ("echo starting; exec env %s nginx -e stderr -c %s/nginx.conf -g '%s' 2>%s/log"):format(
      table.concat(variables, " "), folder, directives, folder)
    for _ = 1, ATTEMPTS do -- the port may be taken by another before it is nginx's
      port = ports.free()
      write_config(folder)
      started = process.start { command = { "sh", "-c", command }, ready = "^starting$" }
      local deadline = cqueues.monotime() + PATIENCE
      while not get("/page") and cqueues.monotime() < deadline and not log():find("emerg", 1, true) do
        cqueues.sleep(0.02)
      end
      if not log():find("emerg", 1, true) then
        return
      end
      started:stop()
    end
    error(log())
  end)

  teardown(function()
    started:stop()
    sandbox:stop()
    os.execute("rm -rf " .. folder)
  end)

  local function deliveries_to(number)
    local count = 0
    for _, delivery in ipairs(sandbox:deliveries()) do
      count = count + (delivery.number == number and 1 or 0)
    end
    return count
  end

  it("sends while the request waits", function()
    local status, body = get("/send?number=%2B16044441234")
    assert(status == 200, ("%s %s\n%s"):format(status, body, log()))
    assert.equal(26, #body:match("^%w+"))
    assert.equal(1, deliveries_to("+16044441234"))
  end)

  it("says what was wrong with a number, and sends nothing", function()
    local status, body = get("/send?number=12")
    assert.equal(400, status)
    assert.equal("argument not_sent\n", body)
  end)

  it("sends when the visitor has the page", function()
    local status, body = get("/page?number=%2B16044441235")
    assert.equal(200, status)
    assert.equal("thank you\n", body)
    local deadline = cqueues.monotime() + PATIENCE
    while deliveries_to("+16044441235") == 0 and cqueues.monotime() < deadline do
      cqueues.sleep(0.02)
    end
    assert.equal(1, deliveries_to("+16044441235"))
  end)

  it("takes webhooks in when they are signed", function()
    assert.equal(405, (get("/webhook")))
    assert.equal(401, (get("/webhook", "POST", "{}")))
  end)
end)
