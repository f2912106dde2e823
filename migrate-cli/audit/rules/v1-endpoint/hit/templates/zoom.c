#include <stdio.h>
#define BASE "https://api.zoom.us"
void list(void) {
  char url[256];
  snprintf(url, sizeof url, "%s/v%d/%s", BASE, 1, "user/list");
  post(url);
}
