#import "ZoomAPI.h"

static NSString *const kBase = @"https://api.zoom.us/v1/";

@implementation ZoomAPI
- (void)list {
    NSString *url = [NSString stringWithFormat:@"%@user/list", kBase];
    [self post:@"user/getbyemail" params:@{@"email": self.email}];
    [self get:url];
}
@end
