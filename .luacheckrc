std = "max"
max_line_length = 130
exclude_files = { "build", "build-*" }
files["spec"] = { std = "max+busted" }
files["*.rockspec"] = { std = "+rockspec" }
