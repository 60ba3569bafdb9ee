print("linkloom")
