#import "Zoom.h"

static NSString *const Base = @"https://api.zoom.us";

@implementation Zoom
- (void)everyone {
    [self post:[NSString stringWithFormat:@"%@/v%d/%@", Base, 1, @"user/list"]];
}
@end
