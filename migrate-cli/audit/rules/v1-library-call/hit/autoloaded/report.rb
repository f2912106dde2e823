# Rails loads all gems of the Gemfile.
class Report
  def initialize
    @rooms = Zoomus.new
  end

  def month(host, from, to)
    @rooms.report_getuserreport(user_id: host, from: from, to: to)
  end
end
