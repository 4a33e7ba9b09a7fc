# The emulator of Slack's Web API, a package of npm's, with the Node.js that it needs: versions and checksums
# are in emulate/package-lock.json. Nothing is installed outside the cache.

start_emulate() {
  local folder=$cache/emulate wanted=$PWD/scripts/platforms/emulate port node
  install_emulate "$folder" "$wanted" || fail "emulate cannot be installed by npm: name one by ATLAS_TEST_SLACK_URL"
  node=$(ls "$folder"/node_modules/node-*/bin/node 2>/dev/null | head -n 1)
  port=$(free_port)
  setsid "${node:-node}" "$folder/node_modules/emulate/dist/index.js" start --service slack --port "$port" \
    --seed "$wanted/workspace.yaml" </dev/null >"$state/emulate.log" 2>&1 &
  echo $! >"$state/emulate.pid"
  until_answers "Slack's emulator" 30 slack_answers "$port"
  echo "export ATLAS_TEST_SLACK_URL=http://127.0.0.1:$port/api" >>"$state/env"
}

install_emulate() {
  local folder=$1 wanted=$2
  cmp -s "$wanted/package-lock.json" "$folder/installed" && return
  command -v npm >/dev/null || install_package npm ca-certificates
  command -v npm >/dev/null || return 1
  say "installing emulate into $folder"
  rm -rf "$folder" && mkdir -p "$folder"
  cp "$wanted/package.json" "$wanted/package-lock.json" "$folder"
  (cd "$folder" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2) || return 1
  cp "$wanted/package-lock.json" "$folder/installed"
}

slack_answers() {
  exec 3<>"/dev/tcp/127.0.0.1/$1" &&
    printf 'POST /api/auth.test HTTP/1.0\r\nAuthorization: Bearer xoxp-ann-1\r\n\r\n' >&3 &&
    timeout 2 cat <&3 | grep -q '"ok":true'
}
