# nginx, as a rate limiter that we did not write: tests start one with limits of their own in front of a
# platform.

start_nginx() {
  PATH=$PATH:/usr/sbin command -v nginx >/dev/null || install_package nginx
  local nginx
  nginx=$(PATH=$PATH:/usr/sbin command -v nginx) ||
    fail "nginx is not installed and cannot be installed: install it, or name one by ATLAS_TEST_NGINX"
  echo "export ATLAS_TEST_NGINX=$nginx" >>"$state/env"
}
