tracker = ZoomusTracker.new
tracker.user_list
