-- A busted helper for `make test-libcurl`: fails unless the module in this process uses the
-- libcurl under test and no other libcurl is loaded.

local wanted = assert(os.getenv("CONNECTLY_SPEC_LIBCURL"), "CONNECTLY_SPEC_LIBCURL is not set")
local version = os.getenv("CONNECTLY_SPEC_LIBCURL_VERSION")
local found = require("connectly.native").versions().libcurl

assert(found == version, ("libcurl %s is loaded in place of %s"):format(found, version))
for line in io.lines("/proc/self/maps") do
  local path = line:match("/%S*/libcurl[^/%s]*%.so[^/%s]*$")
  assert(not path or path == wanted, ("%s is loaded in place of %s"):format(path, wanted))
end
