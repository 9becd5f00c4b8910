-- Whose certificates are trusted: the options', the environment's, the system's; for
-- the API and for an https:// proxy. Clients run in processes of their own, with the
-- environment of each case.

local cli = require "spec.support.cli"
local faults = require "spec.support.faults"
local folders = require "spec.support.folders"
local process = require "spec.support.process"
local tls = require "spec.support.fault.tls"

local running = os.getenv("CONNECTLY_SPEC_LUA") or "lua5.4"
local server_lua = os.getenv("FAULT_SERVER_LUA") or "lua5.4"

-- Prints how each of several messages ended, one after the other.
local CLIENT = [[
  local options = { api_key = "k", business_id = "ok", timeout = 20, rate = 100000 }
  local count, before = 1, nil
  for _, argument in ipairs(arg) do
    local name, value = argument:match("^([%w_]+)=(.*)$")
    if name == "count" then count = tonumber(value)
    elseif name == "before" then before = value
    else options[name] = tonumber(value) or value end
  end
  local client, fault = require("connectly.safe").new(options)
  if not client then
    print(fault.kind .. " " .. fault.param .. " " .. fault.message .. " " .. tostring(fault.hint))
    os.exit(0)
  end
  for index = 1, count do
    if index > 1 and before then os.execute(before) end
    local id, second = client:send_template { number = "+14155550123", template_name = "x", language = "en" }
    if id == "unasked" then
      print("had the reply of no request")
    elseif id then
      print("sent " .. second.attempts)
    else
      print(("%s %s %d %s: %s; %s"):format(second.kind, second.outcome, second.attempts,
        second.retryable and "again" or "final", second.message, second.hint))
    end
  end
]]

local UNSET = "env -u https_proxy -u HTTPS_PROXY -u all_proxy -u ALL_PROXY -u no_proxy -u NO_PROXY"
  .. " -u SSL_CERT_FILE -u SSL_CERT_DIR -u CURL_CA_BUNDLE"

local HOUR = 3600

describe("certificates", function()
  local folder = folders.make()
  local server
  local company, other -- authorities: the API's, and one that has nothing to do with it

  local function path(name)
    return folder .. "/" .. name
  end

  local function write(name, text)
    local file = assert(io.open(path(name), "w"))
    file:write(text)
    file:close()
    return path(name)
  end

  local function read(from)
    local file = assert(io.open(from, "r"))
    local text = file:read("*a")
    file:close()
    return text
  end

  --- A directory of certificates with hashes for names.
  local function hashed(name, ...)
    os.execute(("mkdir '%s'"):format(path(name)))
    for index, pem in ipairs { ... } do
      write(("%s/%d.pem"):format(name, index), pem)
    end
    process.capture(("openssl rehash '%s' 2>&1"):format(path(name)))
    return path(name)
  end

  setup(function()
    server = faults.start()
    write("client.lua", CLIENT)
    company = read(server.ca_file)
    other = tls.authority("an authority of others").certificate:toPEM()
    write("company.pem", company)
    write("other.pem", other)
    hashed("company", company)
    hashed("other", other)
    hashed("empty")
  end)

  teardown(function() server:stop() end)
  before_each(function() server:reset() end)

  --- `${name}` in an argument is a path in the folder of this file.
  local function expand(text)
    return (text:gsub("%${([^}]+)}", path))
  end

  local function send_to(url, environment, ...)
    local words = { UNSET, expand(environment), running, path("client.lua"), "base_url=" .. url }
    for _, argument in ipairs { ... } do
      words[#words + 1] = process.quote(expand(argument))
    end
    return (process.capture(table.concat(words, " ") .. " 2>&1"):gsub("\n$", ""))
  end

  local function send(environment, ...)
    return send_to(server:url("https"), environment, ...)
  end

  -- Each message over a connection of its own, by HTTP/1.1.
  local CLOSING = "business_id=ok-unsized-close"

  local UNTRUSTED = "^network not_sent 1 final: cannot verify the API's certificate: .*; .*ca_file"

  describe("of the environment", function()
    for _, case in ipairs {
      { "are those of SSL_CERT_FILE", "SSL_CERT_FILE=${company.pem}", "sent" },
      { "are those of SSL_CERT_DIR", "SSL_CERT_DIR=${company}", "sent" },
      { "are those of each directory of SSL_CERT_DIR", "SSL_CERT_DIR=:${other}::${company}:", "sent" },
      { "are those of CURL_CA_BUNDLE", "CURL_CA_BUNDLE=${company.pem}", "sent" },
      { "are those of SSL_CERT_FILE and SSL_CERT_DIR", "SSL_CERT_FILE=${other.pem} SSL_CERT_DIR=${company}", "sent" },
      { "are those of SSL_CERT_DIR without hashes and SSL_CERT_FILE",
        "SSL_CERT_FILE=${company.pem} SSL_CERT_DIR=${empty}", "sent" },
      { "are those of CURL_CA_BUNDLE before SSL_CERT_FILE",
        "CURL_CA_BUNDLE=${company.pem} SSL_CERT_FILE=${other.pem}", "sent" },
      { "are not those of SSL_CERT_FILE beside CURL_CA_BUNDLE",
        "CURL_CA_BUNDLE=${other.pem} SSL_CERT_FILE=${company.pem}", "refused" },
      { "are not those of SSL_CERT_DIR beside CURL_CA_BUNDLE",
        "CURL_CA_BUNDLE=${other.pem} SSL_CERT_DIR=${company}", "refused" },
      { "do not count when the variables are empty", "SSL_CERT_FILE= SSL_CERT_DIR= CURL_CA_BUNDLE=", "refused" },
      { "do not count beside ca_file", "SSL_CERT_FILE=${company.pem} SSL_CERT_DIR=${company}", "refused",
        "ca_file=${other.pem}" },
      { "do not count beside ca_path", "SSL_CERT_FILE=${company.pem} SSL_CERT_DIR=${company}", "refused",
        "ca_path=${other}" },
    } do
      it(case[1], function()
        assert.matches(case[3] == "sent" and "^sent 1$" or UNTRUSTED, send(case[2], case[4]))
        assert.equal(case[3] == "sent" and 1 or 0, server:tally().requests)
      end)
    end

    for _, variable in ipairs { "SSL_CERT_FILE", "SSL_CERT_DIR", "CURL_CA_BUNDLE" } do
      it("are named by a variable that is at fault: " .. variable, function()
        assert.matches(("^config %s %s: cannot be read .*environment variable"):format(variable, variable),
          send(variable .. "=${missing}"))
        assert.equal("sent 1", send(variable .. "=${missing}", "ca_file=${company.pem}"))
        assert.equal("sent 1", send_to(server:url("http"), variable .. "=${missing}"))
      end)
    end

    it("are named by a list of directories of which one is missing", function()
      assert.matches("^config SSL_CERT_DIR ", send("SSL_CERT_DIR=${company}:${missing}"))
    end)
  end)

  describe("of a directory and a bundle", function()
    local BESIDE = "SSL_CERT_DIR=${other} SSL_CERT_FILE=${company.pem}"

    it("are those of the bundle when the directory lacks the issuer, in one attempt", function()
      assert.equal("sent 1", send(BESIDE))
      local tally = server:tally()
      assert.equal(1, tally.requests)
      assert.equal(2, tally.connections)
    end)

    it("are those of both from then on", function()
      assert.equal("sent 1\nsent 1\nsent 1", send_to(server:url("https1"), BESIDE, "count=3", CLOSING))
      local tally = server:tally()
      assert.equal(3, tally.requests)
      assert.equal(4, tally.connections)
    end)

    it("are those of the bundle for all calls that had begun before", function()
      local script = write("many.lua", [[
        local client = require("connectly.safe").new {
          api_key = "k", business_id = "ok", base_url = arg[1], http2 = false, timeout = 20, rate = 100000,
        }
        local calls = {}
        for index = 1, 8 do
          calls[index] = client:start("send_template",
            { number = "+14155550123", template_name = "x", language = "en" })
        end
        for index = 1, 8 do
          local id, second = calls[index]:wait(15)
          print(id and "sent" or second.message, second.attempts)
        end
        client:close(1)
      ]])
      local said = process.capture(("%s %s %s %s %s 2>&1"):format(UNSET, expand(BESIDE), running, script,
        server:url("https1")))
      assert.equal(("sent\t1\n"):rep(8), said)
      assert.equal(8, server:tally().requests)
    end)

    it("are those of the directory when it holds the issuer", function()
      assert.equal("sent 1", send("SSL_CERT_DIR=${company} SSL_CERT_FILE=${other.pem}"))
      assert.equal(1, server:tally().connections)
    end)

    it("are not asked more than twice, and no attempt is repeated", function()
      assert.matches(UNTRUSTED, send("SSL_CERT_DIR=${other} SSL_CERT_FILE=${other.pem}"))
      local tally = server:tally()
      assert.equal(0, tally.requests)
      assert.equal(2, tally.connections)
    end)

    it("are not asked again for a certificate of another host", function()
      assert.matches(UNTRUSTED, send_to(server:url("wrong_host"), "SSL_CERT_DIR=${company} SSL_CERT_FILE=${company.pem}"))
      assert.equal(1, server:tally().connections)
    end)

    it("are those of the directory alone when the bundle has gone", function()
      write("going.pem", other)
      local said = send("SSL_CERT_DIR=${other} SSL_CERT_FILE=${going.pem}", "count=2", "before=rm -f ${going.pem}")
      assert.matches(UNTRUSTED, (said:match("^[^\n]+")))
      assert.matches("cannot verify the API's certificate", said:match("\n(.*)"))
    end)
  end)

  -- A file that cannot be opened for lack of descriptors can be the next time.
  it("are not called missing when there are too few descriptors to read them", function()
    for _, environment in ipairs { "SSL_CERT_FILE=${company.pem}", "SSL_CERT_DIR=${company} SSL_CERT_FILE=${company.pem}" } do
      for limit = 5, 20 do
        local limited = ([[sh -c 'ulimit -n %d; exec "$@"' - env %s]]):format(limit, environment)
        local said = send(limited, "max_attempts=1")
        assert.is_nil(said:find("final", 1, true), said)
      end
    end
  end)

  describe("of a server that sends", function()
    local peer

    after_each(function()
      if peer then
        peer:stop()
      end
      peer = nil
    end)

    local function serve(chain, key)
      local files = { write("chain.pem", chain), write("key.pem", key:toPEM("private")) }
      peer = process.start {
        command = { server_lua, "spec/support/tls_peer.lua", files[1], files[2] }, ready = "^(%d+)$",
      }
      return "https://127.0.0.1:" .. peer.captured
    end

    it("its authority as well are looked up in the bundle too", function()
      local root = tls.authority("a company")
      local leaf = tls.server(root, {})
      write("root.pem", root.certificate:toPEM())
      local url = serve(leaf.certificate:toPEM() .. root.certificate:toPEM(), leaf.key)
      assert.equal("sent 1", send_to(url, "SSL_CERT_DIR=${other} SSL_CERT_FILE=${root.pem}"))
    end)

    it("one that signs itself are looked up in the bundle too", function()
      local own = tls.server(tls.authority("unused"), {})
      own.certificate:setIssuer(own.certificate:getSubject())
      own.certificate:sign(own.key)
      write("own.pem", own.certificate:toPEM())
      local url = serve(own.certificate:toPEM(), own.key)
      assert.equal("sent 1", send_to(url, "SSL_CERT_DIR=${other} SSL_CERT_FILE=${own.pem}"))
    end)

    it("one of a renewed authority are looked up in the bundle too", function()
      local root = tls.authority("renewed")
      local leaf = tls.server(root, {})
      write("renewed.pem", root.certificate:toPEM())
      root.certificate:setLifetime(os.time() - 48 * HOUR, os.time() - 24 * HOUR)
      root.certificate:sign(root.key)
      hashed("outdated", root.certificate:toPEM())
      local url = serve(leaf.certificate:toPEM(), leaf.key)
      assert.equal("sent 1", send_to(url, "SSL_CERT_DIR=${outdated} SSL_CERT_FILE=${renewed.pem}"))
    end)
  end)

  describe("of an https:// proxy", function()
    local proxy, old_proxy

    local function start(name, ...)
      local root = tls.authority("the authority of " .. name)
      local leaf = tls.server(root, {})
      write(name .. "-ca.pem", root.certificate:toPEM())
      hashed(name .. "-ca", root.certificate:toPEM())
      local certificate = write(name .. ".pem", leaf.certificate:toPEM())
      local key = write(name .. "-key.pem", leaf.key:toPEM("private"))
      return process.start {
        command = { server_lua, "spec/support/tls_peer.lua", certificate, key, ... }, ready = "^(%d+)$",
      }
    end

    setup(function()
      proxy, old_proxy = start "proxy", start("old", "TLSv1_1")
      write("both.pem", company .. read(path("proxy-ca.pem")))
      write("openssl.cnf", "openssl_conf = a\n[a]\nssl_conf = b\n[b]\nsystem_default = c\n"
        .. "[c]\nMinProtocol = TLSv1\nCipherString = DEFAULT@SECLEVEL=0\n")
    end)

    teardown(function()
      proxy:stop()
      old_proxy:stop()
    end)

    local UNTRUSTED_PROXY = "^network not_sent 1 final: cannot verify the proxy's certificate: .*; .* proxy_ca_file"

    for _, case in ipairs {
      { "are those of proxy_ca_file", "sent", "", "ca_file=${company.pem}", "proxy_ca_file=${proxy-ca.pem}" },
      { "are those of proxy_ca_file also with one slash", "sent", "", "ca_file=${company.pem}",
        "proxy_ca_file=${proxy-ca.pem}", "https:/" },
      { "are those of proxy_ca_path", "sent", "", "ca_path=${company}", "proxy_ca_path=${proxy-ca}" },
      { "are those of the API when no others are given", "sent", "", "ca_file=${both.pem}" },
      { "are those of the environment", "sent", "SSL_CERT_FILE=${both.pem}" },
      { "are those of the environment's directory and bundle", "sent",
        "SSL_CERT_FILE=${both.pem} SSL_CERT_DIR=${company}" },
      { "are those of the environment's directory, and the API's those of its bundle", "sent",
        "SSL_CERT_FILE=${both.pem} SSL_CERT_DIR=${proxy-ca}" },
      { "are those of proxy_ca_file beside the environment's bundle", "sent",
        "SSL_CERT_FILE=${company.pem} SSL_CERT_DIR=${other}", "proxy_ca_file=${proxy-ca.pem}" },
      { "are not those of the API when others are given", "proxy", "", "ca_file=${both.pem}",
        "proxy_ca_file=${other.pem}" },
      { "are not those of the environment when others are given", "proxy", "SSL_CERT_FILE=${both.pem}",
        "proxy_ca_path=${other}" },
      { "are not there by default", "proxy", "", "ca_file=${company.pem}" },
      { "are not those of the API", "api", "", "ca_file=${other.pem}", "proxy_ca_file=${proxy-ca.pem}" },
    } do
      it(case[1], function()
        local said = send(case[3], "proxy=" .. (case[6] or "https://") .. "127.0.0.1:" .. proxy.captured, case[4], case[5])
        assert.matches(({ sent = "^sent 1$", proxy = UNTRUSTED_PROXY, api = "^network not_sent" })[case[2]], said)
        assert.equal(case[2] == "sent" and 1 or 0, server:tally().requests)
        -- Older libcurls do not say what failed inside the TLS of a proxy.
        if case[2] == "api" and not said:find("cannot reach the API", 1, true) then
          assert.matches(UNTRUSTED, said)
          assert.is_nil(said:find("proxy", 1, true))
        end
      end)
    end

    -- libcurl does not tell what the proxy's TLS holds, so a connection has one request.
    it("do not let a reply that was not asked for be the next one's", function()
      assert.equal("sent 1\nsent 1\nsent 1", send_to(server:url("https1"), "", "count=3",
        "business_id=unasked-behind", "proxy=https://127.0.0.1:" .. proxy.captured, "ca_file=${company.pem}",
        "proxy_ca_file=${proxy-ca.pem}"))
      local tally = server:tally()
      assert.same({ 3, 3 }, { tally.requests, tally.connections })
    end)

    it("are of no use with TLS 1.1", function()
      local said = send("OPENSSL_CONF=${openssl.cnf}", "proxy=https://127.0.0.1:" .. old_proxy.captured,
        "ca_file=${company.pem}", "proxy_ca_file=${old-ca.pem}", "max_attempts=1")
      assert.matches("^network not_sent 1 again: cannot reach the API: .*version", said)
    end)

    it("are named when they cannot be read", function()
      assert.matches("^config proxy_ca_file proxy_ca_file: cannot be read", send("", "proxy_ca_file=${missing}"))
      assert.matches("^config proxy_ca_path proxy_ca_path: cannot be read", send("", "proxy_ca_path=${missing}"))
    end)
  end)

  describe("of ca_path", function()
    it("are enough", function()
      assert.equal("sent 1", send("", "ca_path=${company}"))
      assert.equal("sent 1", send("", "ca_path=${other}:${company}"))
    end)

    it("are none when the directory has none, and that is said", function()
      assert.matches(UNTRUSTED, send("", "ca_path=${empty}"))
    end)

    it("may be replaced while a client runs", function()
      hashed("leaving", other)
      assert.equal("sent 1\nsent 1", send_to(server:url("https1"), "", "ca_path=${leaving}:${company}", "count=2",
        CLOSING, "before=rm ${leaving}/*"))
      assert.equal(2, server:tally().requests)
    end)

    it("may go while a client runs, and the bundle is used", function()
      hashed("gone", company)
      assert.equal("sent 1\nsent 1", send_to(server:url("https1"),
        "SSL_CERT_DIR=${gone} SSL_CERT_FILE=${company.pem}", "count=2", CLOSING, "before=rm ${gone}/*"))
    end)
  end)

  -- The system's own files are replaced in a name space of the process, which needs a
  -- privileged user.
  describe("of the system", function()
    local bundle, directory = "/etc/ssl/certs/ca-certificates.crt", "/etc/ssl/certs"
    local can_mount = os.execute("unshare -m true 2>/dev/null")
    can_mount = can_mount == true or can_mount == 0

    --- `from` is mounted over `to`, for one client.
    local function send_with(from, to, ...)
      local words = { UNSET, running, path("client.lua"), "base_url=" .. server:url("https") }
      for _, argument in ipairs { ... } do
        words[#words + 1] = process.quote(expand(argument))
      end
      local script = ("mount --bind %s %s && %s"):format(expand(from), to, table.concat(words, " "))
      return (process.capture("unshare -m sh -c " .. process.quote(script) .. " 2>&1"):gsub("\n$", ""))
    end

    local function privileged(name, test)
      it(name, function()
        if not can_mount then
          pending("needs unshare -m")
        end
        test()
      end)
    end

    privileged("are those of a bundle that a company has mounted", function()
      assert.equal("sent 1", send_with("${company.pem}", bundle))
      assert.equal(2, server:tally().connections)
    end)

    privileged("are those of a directory that a company has mounted", function()
      assert.equal("sent 1", send_with("${company}", directory))
      assert.equal(1, server:tally().connections)
    end)

    privileged("do not count beside ca_path", function()
      assert.matches(UNTRUSTED, send_with("${company.pem}", bundle, "ca_path=${other}"))
      assert.matches(UNTRUSTED, send_with("${company.pem}", bundle, "ca_path=${empty}"))
    end)

    privileged("do not count beside ca_file", function()
      assert.matches(UNTRUSTED, send_with("${company.pem}", bundle, "ca_file=${other.pem}"))
      assert.matches(UNTRUSTED, send_with("${company}", directory, "ca_file=${other.pem}"))
    end)
  end)

  describe("are named by the doctor", function()
    local function doctor(environment, arguments)
      local variables = {
        CONNECTLY_API_KEY = "k", CONNECTLY_BUSINESS_ID = "ok", CONNECTLY_BASE_URL = server:url("https"),
      }
      for name, value in expand(environment):gmatch("(%S+)=(%S*)") do
        variables[name] = value
      end
      return (cli.run("doctor " .. (arguments or ""), { variables = variables }))
    end

    for _, case in ipairs {
      { "SSL_CERT_DIR=${other} SSL_CERT_FILE=${company.pem}", "ok",
        "${other} (SSL_CERT_DIR), a directory by hash, which is quicker; and ${company.pem} (SSL_CERT_FILE) when" },
      { "CURL_CA_BUNDLE=${company.pem} SSL_CERT_DIR=${missing}", "ok", "${company.pem} (CURL_CA_BUNDLE)" },
      { "SSL_CERT_DIR=${empty}", "ok", "${empty} (SSL_CERT_DIR)" },
      { "SSL_CERT_FILE=${missing}", "wrong", "cannot be read: ${missing} (SSL_CERT_FILE)" },
      { "SSL_CERT_DIR=${company}:${missing}", "wrong", "cannot be read: ${missing} (SSL_CERT_DIR)" },
    } do
      it("with " .. case[1], function()
        local line = doctor(case[1]):match("[^\n]* certificates [^\n]*")
        assert.equal(case[2], line:match("^%S+"))
        assert.truthy(line:find(expand(case[3]), 1, true), line)
      end)
    end

    it("who says that the bundle has what the directory lacks", function()
      local output = doctor("SSL_CERT_DIR=${other} SSL_CERT_FILE=${company.pem}", "--connect")
      assert.matches("ok +connection +reached", output)
      assert.matches("warning +issuer", output)
      assert.truthy(output:find(expand("not in ${other}, but in ${company.pem}"), 1, true), output)
      assert.equal(1, server:tally().requests)
    end)

    it("who says nothing of the bundle when the directory is enough", function()
      local output = doctor("SSL_CERT_DIR=${company} SSL_CERT_FILE=${other.pem}", "--connect")
      assert.matches("ok +connection +reached", output)
      assert.is_nil(output:find("issuer +not in"))
      assert.equal(1, server:tally().requests)
    end)

    it("who says what to do when none has the issuer", function()
      local output = doctor("SSL_CERT_DIR=${other} SSL_CERT_FILE=${other.pem}", "--connect")
      assert.matches("wrong +connection +cannot verify the API's certificate: .*; an authority .* ca_file", output)
      assert.is_nil(output:find("issuer +not in"))
    end)
  end)
end)
