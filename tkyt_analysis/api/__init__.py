"""What a statistician writes in a notebook: `import tkyt_analysis as tk`."""
