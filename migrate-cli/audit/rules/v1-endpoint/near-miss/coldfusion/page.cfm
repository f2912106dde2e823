<a href="#application.root#user/list">people who zoom</a>
<cfhttp url="#application.backend#user/list" method="get"></cfhttp>
